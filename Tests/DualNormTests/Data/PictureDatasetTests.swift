import Foundation
import MedicalImaging
import Testing

@testable import Datasets
@testable import DualNorm
@testable import Scores

/// Data sets of PNG, JPEG and TIFF pictures.
@Suite struct PictureDatasetTests {
  let folder: DataFolder

  init() throws { folder = try DataFolder() }

  /// Copies fixtures from `Tests/Fixtures/images`, all of 13×9 pixels.
  private func put(_ files: [(fixture: String, name: String)]) throws {
    for (fixture, name) in files {
      let url = folder.url.appendingPathComponent(name)
      try FileManager.default.createDirectory(at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
      try FileManager.default.copyItem(at: Self.pictures.appendingPathComponent(fixture), to: url)
    }
  }

  private static let pictures = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent().appendingPathComponent("Fixtures/images")

  private func message(_ requireMasks: Bool = true) -> String {
    sentence { try Dataset(contentsOf: folder.url, requireMasks: requireMasks) }
  }

  @Test func colourPicturesHaveThreeModalities() throws {
    try put([
      ("rgb.jpg", "A/x.jpg"), ("mask255.png", "A/x_segmentation.png"), ("rgb8.tif", "A/y.tif"),
      ("mask255.png", "A/y_mask.png"), ("rgb8.png", "B/z.png"), ("mask.tif", "B/z_label.tif"),
    ])
    let data = try Dataset(contentsOf: folder.url)
    #expect(data.layout == .sites)
    #expect(data.cases.map(\.identifier) == ["A/x", "A/y", "B/z"])
    #expect(data.cases[0].mask?.lastPathComponent == "x_segmentation.png")
    #expect(data.modalities == ["red", "green", "blue"])
    #expect(data.cases.allSatisfy { $0.isPicture && $0.maskEnding == ".png" && $0.images.count == 1 })
  }

  @Test func greyPicturesHaveOne() throws {
    try put([
      ("grey8.png", "a.png"), ("mask255.png", "a_seg.png"), ("grey16.tif", "b.tif"), ("mask16.png", "b_seg.png"),
    ])
    #expect(try Dataset(contentsOf: folder.url).modalities == ["image"])
  }

  @Test func aListNamesPictures() throws {
    try put([("rgb.jpg", "A/photos/1.jpg"), ("mask255.png", "A/masks/1.png")])
    try folder.write("photos/1.jpg,masks/1.png,P1", to: "A/all_list.txt")
    let data = try Dataset(contentsOf: folder.url)
    #expect(data.cases.map(\.patient) == ["P1"] && data.modalities == ["red", "green", "blue"])
  }

  @Test func nnUNetsLayoutKeepsItsNames() throws {
    try put([("rgb8.png", "imagesTr/a_0000.png"), ("mask255.png", "labelsTr/a.png")])
    for (names, expected) in [
      (#""0": "R", "1": "G", "2": "B""#, ["R", "G", "B"]), (#""0": "RGB""#, ["red", "green", "blue"]),
    ] {
      try folder.write(
        "{\"channel_names\": {\(names)}, \"labels\": {\"background\": 0, \"road\": 255}, \"file_ending\": \".png\"}",
        to: "dataset.json")
      let data = try Dataset(contentsOf: folder.url)
      #expect(data.cases.map(\.name) == ["a"] && data.modalities == expected)
      #expect(data.labelNames == [0: "background", 255: "road"])
    }
    try folder.write(#"{"channel_names": {"0": "R", "1": "G"}, "labels": {"road": 255}}"#, to: "dataset.json")
    #expect(
      message()
        == "\(folder.path): dataset.json names 2 channels (R and G), and \(folder.path)/imagesTr/a_0000.png has 3, "
        + "red, green and blue; name these.")
  }

  @Test func colourAndGreyDoNotMix() throws {
    try put([("rgb8.png", "a.png"), ("mask255.png", "a_seg.png"), ("grey8.png", "b.png"), ("mask255.png", "b_seg.png")])
    #expect(
      message()
        == "\(folder.path): \(folder.path)/a.png is in colour and \(folder.path)/b.png is not; a data set has one "
        + "kind, so convert the one or the other.")
  }

  @Test func severalColourPicturesAreNoCase() throws {
    try put([("rgb8.png", "a_0000.png"), ("rgb8.png", "a_0001.png"), ("mask255.png", "a_seg.png")])
    #expect(
      message()
        == "\(folder.path)/a_0000.png: is in colour and one of 2 files of case \(folder.url.lastPathComponent)/a; a "
        + "case is one colour picture or several grey files.")
  }

  @Test func framesInColourAreNotChannels() throws {
    try put([("rgb8.png", "f_0001.png"), ("rgb8.png", "f_0002.png")])
    let frames = try Dataset(contentsOf: folder.url, requireMasks: false, modalityCount: 3)
    #expect(frames.cases.map(\.name) == ["f_0001", "f_0002"])
    let other = try PictureDatasetTests()
    try other.put([("rgb8.png", "f_0000.png"), ("rgb8.png", "g_0000.png")])
    let cases = try Dataset(contentsOf: other.folder.url, requireMasks: false, modalityCount: 3).cases
    #expect(cases.map(\.name) == ["f", "g"])
    #expect(cases.map { $0.images[0].lastPathComponent } == ["f_0000.png", "g_0000.png"])
  }

  @Test func picturesBesideVolumesAreSnapshots() throws {
    try folder.touch("A/x.nii.gz", "A/x_seg.nii.gz")
    try put([
      ("rgb8.png", "A/x.png"), ("grey8.png", "A/y_seg.png"), ("rgb8.png", "top.png"), ("rgb8.png", "plots/p.png"),
    ])
    let data = try Dataset(contentsOf: folder.url)
    #expect(data.cases.map(\.identifier) == ["A/x"] && !data.cases[0].isPicture)
    #expect(data.modalities == ["image"])
    let masks = try MaskFolder(folder.url.appendingPathComponent("A"), holdsReferences: true).masks
    #expect(masks.values.map(\.lastPathComponent) == ["x_seg.nii.gz"])
  }

  @Test func aPictureBesideSitesOfPicturesIsAnOverview() throws {
    try put([("rgb8.png", "A/x.png"), ("mask255.png", "A/x_seg.png"), ("rgb8.png", "overview.png")])
    #expect(try Dataset(contentsOf: folder.url).cases.map(\.identifier) == ["A/x"])
  }

  @Test func theCheckNamesWhatIsWrong() throws {
    try put([
      ("rgb8.png", "a.png"), ("mask-coloured.png", "a_seg.png"), ("rgb8.png", "b.png"), ("grey.jpeg", "b_seg.jpg"),
      ("rgb8.png", "c.png"), ("mask255.png", "c_seg.png"),
    ])
    try Data("no picture".utf8).write(to: folder.url.appendingPathComponent("c.png"))
    let check = DataCheck.run(on: try Dataset(contentsOf: folder.url))
    #expect(
      check.errors.map(\.message) == [
        "\(folder.path)/a_seg.png: pixel (6, 0) has the colour (200, 0, 0); labels must be grey values or a palette's "
          + "indices: give each colour a number from 0 to 255.",
        "\(folder.path)/b_seg.jpg: a JPEG cannot hold labels, because its compression changes them; save the mask as PNG.",
        "\(folder.path)/c.png: its header cannot be read (it does not begin as a PNG); export it again as PNG.",
      ])
  }

  @Test func everyColourIsWhitened() throws {
    try put([("rgb16.png", "a.png"), ("mask255.png", "a_seg.png")])
    let scan = try Dataset(contentsOf: folder.url).cases[0]
    let prepared = try PreparedVolume(
      reading: scan, scheme: LabelScheme(groups: [[255]]), plan: PreparationPlan(contextSlices: 1))
    #expect(prepared.modalityCount == 3 && prepared.depth == 1 && prepared.height == 9 && prepared.width == 13)
    let channels = try Image.channels(contentsOf: scan.images[0])
    for (index, channel) in channels.enumerated() {
      let mean = channel.voxels.reduce(0, +) / 117
      let deviation = (channel.voxels.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / 117).squareRoot()
      for (x, y) in [(0, 0), (7, 5), (12, 8)] {
        let found = prepared.channels[index * 117 + y * 13 + x]
        #expect(abs(found - (channel[x, y, 0] - mean) / deviation) < 1e-3)
      }
    }
    #expect(Set(prepared.labels ?? []) == [0, 1])
    // Pictures of training and of pages show the colours of the file at the same places.
    let window = SliceSampling(try PreparationPlan(contextSlices: 1)).central(slice: 0, of: prepared)
    let shown = try PreparedCase(source: scan, volume: prepared).shownChannels(slice: 0, in: window)
    #expect(shown.count == 3)
    for (shown, channel) in zip(shown, channels) {
      // Padded by 3 rows above and 1 column on the left.
      #expect(shown.count == 256 && shown[0] == 0)
      for (x, y) in [(0, 0), (7, 5), (12, 8)] { #expect(shown[(y + 3) * 16 + x + 1] == channel[x, y, 0]) }
    }
  }

  @Test func aColourThatIsNotUsedBecomesZero() throws {
    var picture = RGBImage(width: 16, height: 16, fill: [0, 0, 7])
    try picture.write(to: folder.url.appendingPathComponent("b.png"))
    for x in 0..<16 { picture[x, 3] = [UInt8(x), 0, 7] }
    try picture.write(to: folder.url.appendingPathComponent("a.png"))
    let cases = try Dataset(contentsOf: folder.url, requireMasks: false).cases
    let plan = try PreparationPlan(contextSlices: 1)
    let prepared = try PreparedVolume(reading: cases[0], scheme: nil, plan: plan)
    #expect(prepared.channels[256...].allSatisfy { $0 == 0 } && prepared.channels[..<256].contains { $0 > 1 })
    let constant =
      "\(folder.path)/b.png (red): every voxel is 0, expected an image with contrast; leave this case out or restore the "
      + "file."
    #expect(sentence { try PreparedVolume(reading: cases[1], scheme: nil, plan: plan) } == constant)
    let check = DataCheck.run(on: try Dataset(contentsOf: folder.url, requireMasks: false))
    #expect(check.errors.map(\.message).first == constant && check.errors.count == 3)
  }

  /// An unused colour lies outside any window, and becomes 0 instead of being clipped.
  @Test func aColourThatIsNotUsedNeedsNoWindow() throws {
    let file = folder.url.appendingPathComponent("a.png")
    func plan(_ colours: [ClosedRange<Float>]) throws -> PreparationPlan {
      try PreparationPlan.derived(
        from: [
          CaseFacts(
            scan: Case(name: "a", site: "A", sources: [.components(file, count: 3)], mask: nil),
            geometry: Geometry(size: [32, 32, 1]), intensities: colours)
        ], window: IntensityWindow(5, 100))
    }
    #expect(try plan([0...200, 0...0, 3...3]).window == IntensityWindow(5, 100))
    let message = sentence { try plan([0...200, 0...4, 3...3]) }
    #expect(message.hasPrefix("\(file.path) (green): every voxel is the same after"))
  }

  @Test func oneSliceNeedsNoContext() throws {
    func facts(_ depth: Int) -> CaseFacts {
      CaseFacts(
        scan: Case(name: "a", site: "A", images: [folder.url], mask: nil),
        geometry: Geometry(size: SIMD3(32, 32, depth)))
    }
    var configuration = TrainingConfiguration()
    #expect(try configuration.plan(for: [facts(1), facts(1)]).preparation.contextSlices == 1)
    #expect(try configuration.plan(for: [facts(1), facts(2)]).preparation.contextSlices == 3)
    configuration.context = 5
    #expect(try configuration.plan(for: [facts(1)]).preparation.contextSlices == 5)
  }

  @Test func aPicturesSurfaceIsItsContour() throws {
    let geometry = Geometry(size: [20, 20, 1])
    func square(_ range: ClosedRange<Int>) -> LabelMap {
      volume(geometry) { x, y, _ in range.contains(x) && range.contains(y) ? 255 : 0 }
    }
    let scores = Scorer(scheme: LabelScheme(groups: [[255]])).scores(
      prediction: square(5...14), reference: square(4...15), site: "A", caseName: "a", pass: "final")
    // 36 and 44 contour pixels; each is 1 from the other contour, except the outer corners.
    #expect(abs((scores[0][.assd] ?? 0) - (36 + 40 + 4 * 2.0.squareRoot()) / 80) < 1e-12)
    #expect(scores[0][.hausdorff] == 2.0.squareRoot())
  }
}
