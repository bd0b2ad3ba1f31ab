import Basics
import Foundation
import MedicalImaging
import Testing
import Torch

@testable import Datasets
@testable import DualNorm

/// Intensities of CT, normalized alike in all volumes by the labelled voxels of the training cases.
@Suite struct CTIntensityTests {
  private let geometry = Geometry(size: [40, 40, 10], spacingMM: [1, 1, 2])

  /// Air around a body of 0 ± 50, and an organ of 100 ± 20 plus a shift, labelled.
  private func scan(_ seed: Int, shift: Double = 0) -> (image: Image, mask: LabelMap) {
    var generator = SeededGenerator(seed: UInt64(seed))
    let mask: LabelMap = volume(geometry) { x, y, _ in (10..<25).contains(x) && (12..<30).contains(y) ? 3 : 0 }
    let image: Image = volume(geometry) { x, y, z in
      let noise = generator.normal()
      if mask[x, y, z] != 0 { return Float(100 + shift + 20 * noise) }
      return x < 5 ? -1000 : Float(50 * noise)
    }
    return (image, mask)
  }

  private func labelled(_ scan: (image: Image, mask: LabelMap)) -> [Double] {
    zip(scan.image.voxels, scan.mask.voxels).filter { $0.1 != 0 }.map { Double($0.0) }
  }

  /// The percentiles and moments of all labelled voxels together, where cases have equally many.
  @Test func pooledForegroundIsThatOfAllVoxels() throws {
    let scans = [scan(1), scan(2, shift: 30), scan(3, shift: -10)]
    let cases = scans.compactMap { ForegroundIntensities(of: $0.image, in: $0.mask) }
    let pooled = try #require(PooledForeground(cases))
    let values = scans.flatMap(labelled).sorted()
    let mean = values.reduce(0, +) / Double(values.count)
    let variance = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(values.count)
    #expect(abs(pooled.mean - mean) < 1e-6 && abs(pooled.deviation - variance.squareRoot()) < 1e-6)
    func exact(_ share: Double) -> Double { values[Int(share * Double(values.count - 1))] }
    #expect(abs(pooled.low - exact(0.005)) < 4 && abs(pooled.high - exact(0.995)) < 4)
    #expect(ForegroundIntensities(of: scans[0].image, in: LabelMap(repeating: 0, geometry: geometry)) == nil)
  }

  /// Excluded labels are background, so their intensities do not count.
  @Test func excludedLabelsAreNoForeground() throws {
    let folder = try DataFolder()
    _ = try dataset(folder)
    for index in 0..<4 {
      // The air is label 5.
      let image = try Image(contentsOf: folder.url.appendingPathComponent("imagesTr/c\(index).nii"))
      let file = folder.url.appendingPathComponent("labelsTr/c\(index).nii")
      var mask = try LabelMap(contentsOf: file)
      for voxel in mask.voxels.indices where image.voxels[voxel] == -1000 { mask.voxels[voxel] = 5 }
      try mask.write(to: file)
    }
    try folder.write(
      "{\"channel_names\": {\"0\": \"CT\"}, \"labels\": {\"background\": 0, \"organ\": 3, \"air\": 5}, "
        + "\"file_ending\": \".nii\"}", to: "dataset.json")
    let data = try Dataset(contentsOf: folder.url)
    let organs = (0..<4).map { scan(10 + $0, shift: $0 == 3 ? 500 : 10 * Double($0)) }
    let expected = organs.map { ForegroundIntensities(of: $0.image, in: $0.mask) }
    let facts = DataCheck.run(on: data, exclude: [5]).facts
    #expect(facts.map(\.foreground) == expected)
    let all = DataCheck.run(on: data).facts.compactMap { $0.foreground?.mean }
    #expect(all.count == 4 && zip(all, expected).allSatisfy { $0 < $1!.mean - 100 })
    // Nothing is known of a mask of excluded labels alone.
    #expect(ForegroundIntensities(of: organs[0].image, in: organs[0].mask, without: [3]) == nil)
    withExtendedLifetime(folder) {}
  }

  /// Every volume gets the same clipping, shift and scale.
  @Test func volumesKeepTheirDifferences() throws {
    let plan = try PreparationPlan(
      window: IntensityWindow(40, 160), whitening: .ct, moments: PreparationPlan.Moments(mean: 100, deviation: 20))
    for shift in [0.0, 30] {
      let image = scan(4, shift: shift).image
      let prepared = try PreparedVolume(images: [image], labels: nil, plan: plan, names: ["a"])
      let expected = image.voxels.map { Float((Double(min(max($0, 40), 160)) - 100) / 20) }
      #expect(prepared.channels == expected)
    }
    let copy = try JSONDecoder().decode(PreparationPlan.self, from: JSONEncoder().encode(plan))
    #expect(copy == plan)
    #expect(plan.text().hasPrefix("clip to 40…160, whiten all volumes by mean 100 and deviation 20"))
    #expect(throws: Refusal.self) { try PreparationPlan(whitening: .ct) }
    #expect(throws: Refusal.self) {
      try PreparationPlan(moments: PreparationPlan.Moments(mean: 0, deviation: 1))
    }
  }

  /// A data set of CT with its plan by nnU-Net's rule, from the training and validation cases alone.
  private func dataset(_ folder: DataFolder, modality: String = "CT") throws -> Dataset {
    for index in 0..<4 {
      let (image, mask) = scan(10 + index, shift: index == 3 ? 500 : 10 * Double(index))
      try image.write(to: folder.url.appendingPathComponent("imagesTr/c\(index).nii"))
      try mask.write(to: folder.url.appendingPathComponent("labelsTr/c\(index).nii"))
    }
    try folder.write(
      "{\"channel_names\": {\"0\": \"\(modality)\"}, \"labels\": {\"background\": 0, \"organ\": 3}, \"file_ending\": \".nii\"}",
      to: "dataset.json")
    return try Dataset(contentsOf: folder.url)
  }

  @Test func dataOfCTArePlannedSo() throws {
    let folder = try DataFolder()
    let data = try dataset(folder)
    let facts = DataCheck.run(on: data).facts
    let known = facts.filter { $0.scan.name != "c3" }
    let configuration = TrainingConfiguration()
    let plan = try configuration.plan(for: known, isCT: data.isCT).preparation
    let pooled = try #require(PooledForeground(known.compactMap(\.foreground)))
    #expect(data.isCT && plan.whitening == .ct && plan.window == IntensityWindow(pooled.low, pooled.high))
    #expect(plan.moments == PreparationPlan.Moments(mean: pooled.mean, deviation: pooled.deviation))
    #expect(abs(pooled.mean - 110) < 3 && pooled.high < 250)  // the held-out case is not in it
    var other = configuration
    other.whitening = .foreground
    #expect(try other.plan(for: known, isCT: true).preparation.whitening == .foreground)
    #expect(try configuration.plan(for: known, isCT: false).preparation.whitening == .foreground)
    other.whitening = .ct
    other.window = IntensityWindow(-100, 300)
    let clipped = try other.plan(for: known).preparation
    #expect(clipped.window == other.window && clipped.moments == plan.moments)
    // An experiment's cells plan from a file of facts.
    let file = folder.url.appendingPathComponent("facts.json")
    try FactsFile(facts, keepsForeground: true).write(to: file)
    #expect(try FactsFile.read(file, for: data).map(\.foreground) == facts.map(\.foreground))
    withExtendedLifetime(folder) {}
  }

  @Test func withoutLabelledVoxelsItIsRefused() throws {
    var configuration = TrainingConfiguration()
    configuration.whitening = .ct
    #expect(
      sentence { try configuration.plan(for: [fact("A/a")]) }
        == "--whitening is ct, and no labelled voxel's intensity is known; label the masks, or begin anew where an earlier "
        + "version checked the data.")
  }
}
