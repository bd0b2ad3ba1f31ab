import Foundation
import MedicalImaging
import Testing

@testable import Datasets
@testable import Scores

@Suite struct SitePreparationTests {
  let folder: DataFolder
  private var output: URL { folder.url.appendingPathComponent("data") }

  init() throws { folder = try DataFolder() }

  private func url(_ name: String) -> URL { folder.url.appendingPathComponent(name) }

  /// An oblique grid of 9×8×6 voxels. Each voxel holds its memory index.
  ///
  /// Label 1 is one voxel in slice 2, label 7 one in slice 3.
  private static let geometry = Geometry(
    size: [9, 8, 6], spacingMM: [0.5, 0.75, 2], originMM: [3, -4, 5], direction: obliqueDirection)

  private func write(_ name: String = "a", labels edit: (inout LabelMap) -> Void = { _ in }) throws {
    let image = Image(voxels: (0..<432).map(Float.init), geometry: Self.geometry)
    var labels = LabelMap(repeating: 0, geometry: Self.geometry)
    labels[1, 2, 2] = 1
    labels[4, 5, 3] = 7
    edit(&labels)
    try image.write(to: url("images/\(name).nii.gz"))
    try labels.write(to: url("labels/\(name).nii.gz"))
  }

  private func preparation(
    _ recipe: String, training: Bool = false, site: String = "X", to output: URL? = nil
  ) throws -> SitePreparation {
    try folder.write(recipe + "\n", to: "recipe.yaml")
    return try SitePreparation(
      recipe: url("recipe.yaml").path, images: url("images"), labels: url("labels"), site: site,
      output: output ?? self.output, training: training, version: "test")
  }

  private func result(_ name: String = "a") throws -> (image: Image, labels: LabelMap) {
    let site = output.appendingPathComponent("X")
    return (
      try Image(contentsOf: site.appendingPathComponent("\(name).nii.gz")),
      try LabelMap(contentsOf: site.appendingPathComponent("\(name)_segmentation.nii.gz"))
    )
  }

  /// The expected files come from SimpleITK.
  @Test func resamplesAsITKDoes() throws {
    let fixtures = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent().appendingPathComponent("Fixtures/prepare")
    for (kind, name) in [("images", "img0003.nii.gz"), ("labels", "label0003.nii.gz")] {
      try FileManager.default.createDirectory(at: url(kind), withIntermediateDirectories: true)
      try FileManager.default.copyItem(at: fixtures.appendingPathComponent(name), to: url("\(kind)/\(name)"))
    }
    let site = try preparation("resample-size: [8, 10]").run()
    #expect(site.pairedByNumber == ["img0003"])
    let (image, labels) = try result("img0003")
    let expected = try Image(contentsOf: fixtures.appendingPathComponent("expected.nii.gz"))
    #expect(zip(image.voxels, expected.voxels).map { abs($0 - $1) }.max()! < 1e-3)  // of −900 to 1200
    #expect(
      try labels.voxels == LabelMap(contentsOf: fixtures.appendingPathComponent("expected_segmentation.nii.gz")).voxels)
    #expect(Set(labels.voxels) == [0, 1, 2, 5])
    for geometry in [image.geometry, labels.geometry] {
      #expect(geometry.size == [10, 8, 4])
      for corner in [SIMD3<Double>.zero, [9, 7, 3]] {
        let moved = geometry.positionMM(ofIndex: corner) - expected.geometry.positionMM(ofIndex: corner)
        #expect((moved * moved).sum().squareRoot() < 1e-4)
      }
    }
  }

  @Test func mapsAndDropsLabels() throws {
    try write { $0[0, 0, 0] = 200 }
    let site = try preparation("labels: [{name: liver, from: [7, 9], to: 3}, {name: spleen, from: [1], to: 2}]").run()
    let (image, labels) = try result()
    #expect(labels[1, 2, 2] == 2 && labels[4, 5, 3] == 3 && labels[0, 0, 0] == 0)
    #expect(image.voxels == (0..<432).map(Float.init) && image.geometry.mismatch(with: Self.geometry) == nil)
    #expect(site.cases[0].voxels == ["2": 1, "3": 1] && site.cases[0].sourceVoxels == ["1": 1, "7": 1, "200": 1])
    #expect(
      site.description.split(separator: "\n").map(String.init) == [
        "case  size x×y×z           spacing in mm                slices       labels (voxels)    dropped (voxels)",
        "a     9×8×6       → 9×8×6  0.5×0.75×2     → 0.5×0.75×2  0–5: 6 of 6  spleen 1, liver 1  200 1",
        "No mask holds 9, which the recipe maps to liver.",
      ])
    #expect(try PreparedSite(in: output.appendingPathComponent("X")) == site)
    let data = try Dataset(contentsOf: output)
    #expect(data.labelNames == [0: "background", 2: "spleen", 3: "liver"] && data.croppedSites.isEmpty)
    #expect(try LabelScheme(values: [], labelNames: data.labelNames).names == ["spleen", "liver"])
  }

  /// Cropping by labels would leak the result, so only the flag allows it.
  @Test func onlyTrainingDataAreCroppedToTheirLabels() throws {
    try write()
    let recipe = "labels: [{name: liver, from: [7], to: 1}]\ncrop-margin: 1"
    #expect(try preparation(recipe).run().cases[0].size == [9, 8, 6])
    try FileManager.default.removeItem(at: output)
    let site = try preparation(recipe, training: true).run()
    #expect(site.cases[0].slices.first == 2 && site.cases[0].slices.last == 4 && site.isCroppedByLabels)
    let (image, labels) = try result()
    #expect(image.voxels == (144..<360).map(Float.init) && labels[4, 5, 1] == 1)
    let moved = Self.geometry.positionMM(ofIndex: [0, 0, 2]) - image.geometry.originMM
    #expect((moved * moved).sum() < 1e-10)
    #expect(site.description.hasSuffix("\nCropped to the labelled slices: train on these cases, do not test on them."))
    #expect(try Dataset(contentsOf: output).croppedSites == ["X"])
  }

  @Test func everyNthSliceKeepsItsPlace() throws {
    try write()
    let site = try preparation("every-nth-slice: 3\nlabels: [{name: a, from: [1], to: 1}, {name: b, from: [7], to: 2}]")
      .run()
    let (image, labels) = try result()
    #expect(image.voxels == (0..<72).map(Float.init) + (216..<288).map(Float.init))
    #expect(abs(image.geometry.spacingMM.z - 6) < 1e-6 && labels[4, 5, 1] == 2)
    #expect(
      site.description.contains("0–5, every 3: 2 of 6")
        && site.description.hasSuffix("\na: a lost by resampling or leaving slices out."))
  }

  @Test func windowAndWholeNumbers() throws {
    try write()
    _ = try preparation("window: [100, 200]").run()
    let voxels = try result().image.voxels
    #expect(voxels[0] == 100 && voxels[150] == 150 && voxels[431] == 200)
    try FileManager.default.removeItem(at: output)
    #expect(
      sentence { try preparation("window: [-900, -800]").run() }
        == "\(url("images/a.nii.gz").path): every voxel is -800 after clipping to -900…-800; give the recipe a window that "
        + "holds the image's intensities (CT in HU?).")
  }

  @Test func flipYKeepsEveryVoxelWhereItIs() throws {
    try write()
    _ = try preparation("flip-y: true").run()
    let (image, labels) = try result()
    #expect(image[3, 7, 0] == 3 && labels[4, 2, 3] == 7)
    let position = image.geometry.positionMM(ofIndex: [3, 7, 1]) - Self.geometry.positionMM(ofIndex: [3, 0, 1])
    #expect((position * position).sum() < 1e-10)
    #expect(image.geometry.mismatch(with: Self.geometry) != nil)
  }

  @Test func flipYVoxelsKeepsTheHeader() throws {
    try write()
    _ = try preparation("flip-y-voxels: [labels]").run()
    let (image, labels) = try result()
    #expect(image[3, 0, 0] == 3 && labels[4, 2, 3] == 7)
    #expect(labels.geometry.mismatch(with: Self.geometry) == nil)
  }

  /// The gland keeps its volume when resampled from 320 to 384 pixels.
  @Test(.enabled(if: hasSharedData, "needs ../shared/data")) func prostateKeepsItsVolume() throws {
    let source = sharedData.appendingPathComponent("prostate/Site-A")
    for kind in ["", "_segmentation"] {
      try folder.touch("source/Case06\(kind).nii.gz")
      let file = url("source/Case06\(kind).nii.gz")
      try FileManager.default.removeItem(at: file)
      try FileManager.default.createSymbolicLink(
        at: file, withDestinationURL: source.appendingPathComponent("Case06\(kind).nii.gz"))
    }
    let site = try SitePreparation(
      recipe: "prostate", images: url("source"), labels: url("source"), site: "X", output: output, version: "test"
    ).run()
    let facts = site.cases[0]
    #expect(facts.sourceSize == [320, 320, 20] && facts.size == [384, 384, 20])
    func volumeMM3(_ voxels: [String: Int], _ spacing: [Double]) -> Double {
      Double(voxels.values.reduce(0, +)) * spacing.reduce(1, *)
    }
    let before = volumeMM3(facts.sourceVoxels, facts.sourceSpacingMM)
    #expect(abs(volumeMM3(facts.voxels, facts.spacingMM) / before - 1) < 0.005)
    #expect(facts.sourceVoxels.keys.sorted() == ["1", "2"] && Array(facts.voxels.keys) == ["1"])
  }
}
