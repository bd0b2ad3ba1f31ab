import Basics
import Datasets
import Foundation
import MedicalImaging
import Scores
import Testing
import Torch

@testable import DualNorm

/// A model that nnU-Net 2.8.1 trained on a few images, with its predictions (Tools/fixtures_nnunet.py).
struct NNUNetFixture: CustomTestStringConvertible, Sendable {
  static let folder = URL(fileURLWithPath: #filePath)
    .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
    .appendingPathComponent("Fixtures/nnunet")

  /// Slices with transposed axes; CT of coarse slices in two folds; two channels with a border of 0; residual blocks.
  static let all = [
    NNUNetFixture(name: "plain-2d", cases: ["first", "second"]),
    NNUNetFixture(name: "plain-3d-ct", cases: ["first", "second", "third"]),
    NNUNetFixture(name: "plain-3d-mr", cases: ["first"], channels: 2),
    NNUNetFixture(name: "residual-3d", cases: ["first"]),
  ]

  let name: String
  let cases: [String]
  var channels = 1

  var testDescription: String { name }
  var url: URL { Self.folder.appendingPathComponent(name) }

  func images(_ name: String) -> [URL] {
    (0..<channels).map { url.appendingPathComponent("input/\(name)_000\($0).nii.gz") }
  }

  func scan(_ name: String) -> Case { Case(name: name, site: "", images: images(name), mask: nil) }

  func file(_ name: String, _ file: String) -> URL { url.appendingPathComponent("\(name)/\(file)") }

  /// The run folders of all folds in a temporary folder.
  func imported(to folder: URL) throws -> [RunFolder] {
    let source = try NNUNetFolder(url)
    return try source.folds.map { fold in
      let model = try source.model(of: fold)
      let network = try DualNormNetwork(model.description.network, seed: 0)
      try network.parameters.load(model.weights, file: fold)
      let run = RunFolder(folder.appendingPathComponent(fold))
      try FileManager.default.createDirectory(at: run.url, withIntermediateDirectories: true)
      try Safetensors(tensors: network.parameters.stateDictionary).write(to: run.model)
      try run.write(model.description)
      return run
    }
  }
}

@Suite("Models of nnU-Net") struct NNUNetTests {
  private let folder: DataFolder

  init() throws { folder = try DataFolder() }

  @Test(arguments: NNUNetFixture.all) func theNetworkIsTheirs(_ fixture: NNUNetFixture) throws {
    let model = try NNUNetFolder(fixture.url).model(of: "fold_0")
    let network = try DualNormNetwork(model.description.network, seed: 0)
    try network.parameters.load(model.weights, file: "fold_0")
    let file = try Safetensors.read(fixture.url.appendingPathComponent("network.safetensors"))
    for fuses in [false, true] {
      network.fusesOperations = fuses
      let logits = withoutGradients { network(Tensor(file["input"]!).channelsLast(), .evaluation) }
      let expected = Tensor(file["logits"]!)
      #expect(logits.shape == expected.shape)
      #expect(DualNormTests.largestDifference(logits, expected) < 1e-4)
    }
  }

  @Test(arguments: NNUNetFixture.all) func thePreparationIsTheirs(_ fixture: NNUNetFixture) throws {
    let description = try NNUNetFolder(fixture.url).model(of: "fold_0").description
    for name in fixture.cases {
      let volume = try description.prepared(fixture.scan(name)).volume
      let expected = try #require(
        try Safetensors.read(fixture.file(name, "preprocessed.safetensors")).tensors.first
      ).tensor
      #expect([volume.modalityCount, volume.depth, volume.height, volume.width] == expected.shape, "\(name)")
      let values = Tensor(expected).values(Float.self)
      guard values.count == volume.channels.count else { continue }
      let difference = zip(volume.channels, values).map { abs($0 - $1) }.max()!
      #expect(difference < 2e-4, "\(name)")
    }
  }

  @Test func aDamagedPreparationIsRefused() throws {
    let description = try NNUNetFolder(NNUNetFixture.all[1].url).model(of: "fold_0").description
    let json = String(decoding: try JSONEncoder().encode(description), as: UTF8.self)
    func read(_ old: String, _ new: String) throws {
      let text = json.replacing(old, with: new)
      #expect(text != json)
      try JSONDecoder().decode(ModelDescription.self, from: Data(text.utf8)).validate(file: "model.json")
    }
    try read("\"format\":7", "\"format\": 7")
    #expect(throws: Refusal.self) { try read("\"transpose_forward\":[0,1,2]", "\"transpose_forward\":[0,0,9]") }
    #expect(throws: Refusal.self) { try read("\"network_size\":[8,20,20]", "\"network_size\":[1,1,1]") }
    #expect(throws: Refusal.self) { try read("\"modalities\":[\"CT\"]", "\"modalities\":[\"CT\",\"PET\"]") }
  }

  /// nnU-Net takes a channel without contrast, such as a modality that was not measured; one must have some.
  @Test func anEmptyChannelIsTaken() throws {
    let fixture = NNUNetFixture.all[2]
    let description = try NNUNetFolder(fixture.url).model(of: "fold_0").description
    let image = try Image(contentsOf: fixture.images("first")[0])
    let empty = Image(repeating: 0, geometry: image.geometry)
    func prepared(_ images: [Image]) throws -> PreparedVolume {
      try PreparedVolume(images: images, labels: nil, plan: description.preparation, names: ["a", "b"])
    }
    let channels = try prepared([image, empty]).channels
    #expect(channels[(channels.count / 2)...].allSatisfy { $0 == 0 } && channels.contains { $0 > 0 })
    #expect(throws: Refusal.self) { try prepared([empty, empty]) }
  }

  /// Orientation of the file plays no part, unless the import named one.
  @Test func volumesAreTurnedToANamedOrientationAlone() throws {
    let fixture = NNUNetFixture.all[3]
    let plain = try NNUNetFolder(fixture.url).model(of: "fold_0").description
    let image = try Image(contentsOf: fixture.images("first")[0])
    let named = plain.oriented(to: image.geometry.orientation)
    let mirrored = image.withRowsReversed()
    func channels(_ image: Image, _ description: ModelDescription) throws -> [Float] {
      let folder = try DataFolder()
      let file = folder.url.appendingPathComponent("scan.nii.gz")
      try image.write(to: file)
      return try description.prepared(Case(name: "scan", site: "", images: [file], mask: nil)).volume.channels
    }
    #expect(try channels(image, plain) == channels(image, named))
    #expect(try channels(mirrored, named) == channels(image, named))
    #expect(try channels(mirrored, plain) != channels(image, plain))
  }

  /// Two members that are sure of different classes disagree, though the mean of their logits is sure of one.
  @Test func disagreementIsOfProbabilitiesWhereLogitsAreAveraged() {
    struct Sure: Segmenter {
      let logits: [Float]
      func scores(of input: NetworkInput, _ mode: Mode) -> [Pass: ClassScores] {
        [.first: ClassScores(Tensor(logits, shape: [1, 2, 1, 1]), areLogits: true)]
      }
    }
    let members = [Sure(logits: [10, -10]), Sure(logits: [-5, 5])]
    let ensemble = Ensemble(count: 2, averagesLogits: true, keepsEntropy: true) { members[$0] }
    let input = NetworkInput(images: [0], labels: nil, sizes: [1, 1], channels: 1, on: .cpu)
    let scores = WithDisagreement(base: ensemble).scores(of: input, .evaluation)[.first]!
    #expect(scores.classValues.values(Float.self) == [2.5, -2.5] && scores.areLogits)
    #expect(abs(scores.further!.item - log(2.0)) < 0.01)
  }

  @Test(arguments: NNUNetFixture.all, [true, false]) func theMaskIsTheirs(_ fixture: NNUNetFixture, mirrors: Bool)
    throws
  {
    let model = try SegmentationModel(contentsOf: try fixture.imported(to: folder.url), mirrors: mirrors)
    for name in fixture.cases {
      let found = try model.segment(
        try model.description.prepared(fixture.scan(name)), site: nil, keepsProbabilities: mirrors)[0]
      let reference = fixture.file(name, mirrors ? "mask.nii.gz" : "unmirrored.nii.gz")
      let expected = try #require(
        try Case(name: name, site: "", images: fixture.images(name), mask: reference).labels())
      #expect(found.labels.geometry.mismatch(with: expected.geometry) == nil, "\(name)")
      #expect(Set(expected.voxels).count > 1, "\(name)")
      let equal = zip(found.labels.voxels, expected.voxels).count { $0 == $1 }
      #expect(Double(equal) >= 0.999 * Double(expected.voxels.count), "\(name): \(equal) of \(expected.voxels.count)")
      guard mirrors else { continue }
      let probabilities = try Safetensors.read(fixture.file(name, "probabilities.safetensors")).tensors[0].tensor
      let values = Tensor(probabilities).values(Float.self)
      let ours = found.probabilities.flatMap(\.voxels)
      #expect(values.count == ours.count)
      // nnU-Net sums logits in half precision.
      #expect(zip(values, ours).map { abs($0 - $1) }.max()! < 0.02, "\(name)")
    }
  }
}
