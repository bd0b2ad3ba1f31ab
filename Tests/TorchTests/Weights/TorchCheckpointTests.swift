import Foundation
import Testing
import Torch

@Suite struct TorchCheckpointTests {
  /// Compares tensors by name, because safetensors files are sorted by type.
  private func expectSame(
    _ checkpoint: TorchCheckpoint, as name: String, sourceLocation: SourceLocation = #_sourceLocation
  ) throws {
    let expected = try Safetensors.read(fixture(name)).tensors.sorted { $0.name < $1.name }
    TorchTests.expectSame(
      checkpoint.tensors.sorted { $0.name < $1.name }, expected, sourceLocation: sourceLocation)
  }

  @Test(arguments: ["all_types.pth", "all_types_protocol4.pth"])
  func allTypes(name: String) throws {
    let checkpoint = try TorchCheckpoint.read(fixture(name))
    try expectSame(checkpoint, as: "all_types.safetensors")
    #expect(checkpoint.tensors.count == 18)
    #expect(checkpoint.key == nil)
  }

  /// Permuted, channels-last, sliced, shared, expanded and empty views, and parameters.
  @Test func viewsAreGathered() throws {
    let checkpoint = try TorchCheckpoint.read(fixture("layouts.pth"))
    try expectSame(checkpoint, as: "layouts.safetensors")
    #expect(checkpoint["flat transposed"]?.shape == [3, 2])
    #expect(checkpoint["flat transposed"]?.data == Data([0, 0, 3, 0, 1, 0, 4, 0, 2, 0, 5, 0]))
    #expect(checkpoint["absent"] == nil)
  }

  /// A module's dictionary has `_metadata` as its state.
  @Test func namesComeInTheDictionarysOrder() throws {
    let checkpoint = try TorchCheckpoint.read(fixture("network.pth"))
    try expectSame(checkpoint, as: "network.safetensors")
    #expect(
      checkpoint.tensors.map(\.name) == [
        "0.weight", "0.bias", "1.weight", "1.bias", "1.running_mean", "1.running_var", "1.num_batches_tracked",
        "2.weight", "2.bias",
      ])
    #expect(checkpoint["1.num_batches_tracked"] == StoredTensor(dtype: .int64, shape: [], data: Data(count: 8)))
  }

  @Test func thePrefixOfDataParallelIsRemoved() throws {
    let checkpoint = try TorchCheckpoint.read(fixture("parallel.pth"))
    try expectSame(checkpoint, as: "network.safetensors")
    #expect(checkpoint.tensors.first?.name == "0.weight")
  }

  /// The state dictionary lies beside an optimizer's state, numbers, sets and bytes.
  @Test func aStateDictIsFoundInATrainingCheckpoint() throws {
    let checkpoint = try TorchCheckpoint.read(fixture("training.pth"))
    try expectSame(checkpoint, as: "trained.safetensors")
    #expect(checkpoint.key == "model_state_dict")
  }

  @Test(arguments: StoredType.allCases)
  func bytesOfAShape(type: StoredType) {
    #expect(type.byteCount(of: []) == type.byteCount)
    #expect(type.byteCount(of: [2, 3]) == 6 * type.byteCount)
    #expect(type.byteCount(of: [0, 1 << 62, 4]) == 0)
    #expect(type.byteCount(of: [1 << 62, 4]) == nil)
    #expect(type.byteCount(of: [-1]) == nil)
    #expect(type.byteCount(of: [Int](repeating: 1, count: 64)) == type.byteCount)
    #expect(type.byteCount(of: [Int](repeating: 1, count: 65)) == nil)
  }
}
