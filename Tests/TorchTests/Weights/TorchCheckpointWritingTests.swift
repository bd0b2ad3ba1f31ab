import Foundation
import TestSupport
import Testing
import Torch

@Suite struct TorchCheckpointWritingTests {
  private let folder: TemporaryFolder
  private var url: URL { folder.url.appendingPathComponent("weights.pth") }

  init() throws { folder = try TemporaryFolder() }

  /// All types, scalars, tensors without numbers, and names in many scripts.
  @Test(arguments: ["all_types", "layouts", "network", "swift"]) func ourReaderReadsIt(name: String) throws {
    let tensors = try Safetensors.read(fixture("\(name).safetensors")).tensors
    try TorchCheckpoint.write(tensors, to: url)
    let checkpoint = try TorchCheckpoint.read(url)
    expectSame(checkpoint.tensors, tensors)
    #expect(checkpoint.key == nil && checkpoint.facts.isEmpty)
    let written = try Data(contentsOf: url)
    try TorchCheckpoint.write(tensors, to: url)
    #expect(try Data(contentsOf: url) == written)
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder.url.path) == ["weights.pth"])
  }

  @Test func numbersLieAtMultiplesOf64Bytes() throws {
    let marks = (1...5).map { Data(repeating: $0 | 0xA0, count: 9 * Int($0)) }
    try TorchCheckpoint.write(marks.map { ("\($0[0])", stored($0)) }, to: url)
    let written = try Data(contentsOf: url)
    for mark in marks { #expect(written.range(of: mark)?.lowerBound.isMultiple(of: 64) == true) }
  }

  @Test func aRepeatedNameIsRefused() throws {
    let twice = [("a\n", stored(Data([1]))), ("a\n", stored(Data([2])))]
    #expect(
      try refusal(url) { try TorchCheckpoint.write(twice, to: $0) }
        == #"FILE: the tensor name 'a\n' is given twice; rename the tensor."#)
    #expect(!FileManager.default.fileExists(atPath: url.path))
  }

  /// The names are all that `torch.load(weights_only=True)` needs to allow here.
  @Test(.enabled(if: TestEnvironment.isThere, "needs a Python; make test-env gets it"))
  func pythonsOwnReadersReadIt() throws {
    try TorchCheckpoint.write(SafetensorsTests.ours.tensors, to: url)
    let program = """
      import collections, io, pickle, sys, zipfile
      file = zipfile.ZipFile(sys.argv[1])
      assert file.testzip() is None and all(record.compress_type == 0 for record in file.infolist())
      class Reader(pickle.Unpickler):
        def find_class(self, module, name):
          if (module, name) == ("collections", "OrderedDict"): return collections.OrderedDict
          if (module, name) == ("torch._utils", "_rebuild_tensor_v2"): return lambda *parts: parts
          if module == "torch" and name.endswith("Storage"): return name
        def persistent_load(self, parts): return parts
      for name, (storage, *rest) in Reader(io.BytesIO(file.read("archive/data.pkl"))).load().items():
        print(repr(name), storage, *rest[:4], file.read("archive/data/" + storage[2]).hex())
      """
    #expect(
      try TestEnvironment.output(of: ["-c", program, url.path]) == #"""
        'z' ('storage', 'FloatStorage', '0', 'cpu', 4) 0 (2, 2) (2, 1) False 0000803f000000400000404000008040
        'odd' ('storage', 'ByteStorage', '1', 'cpu', 3) 0 (3,) (1,) False 010203
        'nothing' ('storage', 'LongStorage', '2', 'cpu', 0) 0 (0,) (1,) False 
        'Größe "\\\n' ('storage', 'DoubleStorage', '3', 'cpu', 1) 0 () () False 000000000000e0bf

        """#)
  }

  private func stored(_ bytes: Data) -> StoredTensor { StoredTensor(dtype: .uint8, shape: [bytes.count], data: bytes) }
}
