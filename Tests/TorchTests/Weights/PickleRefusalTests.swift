import Foundation
import Testing

@testable import Torch

/// Wrong instructions, each in a valid zip file.
@Suite struct PickleRefusalTests {
  static let cases: [(pickle: [UInt8], byte: Int, why: String)] = [
    ([], 0, "it ends early"),
    ([0x80], 0, "it ends early"),
    ([0x80, 5], 0, "protocol 5 is none of 2, 3 and 4"),
    ([0x80, 0], 0, "protocol 0 is none of 2, 3 and 4"),
    (Array("0".utf8), 0, "the instruction 0x30 is none that PyTorch writes"),  // POP
    (Array("I1\n.".utf8), 0, "the instruction 0x49 is none that PyTorch writes"),  // protocol 0's INT
    (Array(".".utf8), 0, "a value is missing"),
    (Array("N(.".utf8), 2, "a value is missing"),
    (Array("Nt".utf8), 1, "a group was never opened"),
    (Array("N\u{1}".utf8), 1, "the instruction 0x1 is none that PyTorch writes"),
    ([0x4E, 0x86], 1, "a value is missing"),
    (Array("h\u{7}".utf8), 0, "nothing was remembered under 7"),
    (Array("j\u{7}\0\0\u{1}".utf8), 0, "nothing was remembered under 16777223"),
    ([0x94], 0, "a value is missing"),
    ([0x4A, 1, 2, 3], 0, "it ends early"),
    ([0x58, 0xFF, 0xFF, 0xFF, 0xFF, 0x61], 0, "it ends early"),
    ([0x8D, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF], 0, "it ends early"),
    ([0x8E, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x7F], 0, "it ends early"),
    ([0x8A, 0xFF, 1], 0, "it ends early"),
    ([0x8C, 1, 0xFF], 0, "a text is not UTF-8"),
    (Array("ccollections\nOrderedDict".utf8), 0, "it ends early"),
    ([0x4E, 0x4E, 0x93], 2, "None stands where a name was expected"),
    (Array("]K\u{1}K\u{2}s".utf8), 5, "a list or set stands where a dictionary was expected"),
    (Array("}(K\u{1}u".utf8), 4, "a value is missing"),
    (Array("}Na".utf8), 2, "a dictionary stands where a list was expected"),
    (Array("]}b".utf8), 2, "a list or set stands where a dictionary was expected"),
    (Array("N)R".utf8), 2, "None cannot be called with a tuple"),
    (Array("ctorch\nSize\nNR".utf8), 13, "torch.Size cannot be called with None"),
    (Array("ctorch\nSize\n)R".utf8), 13, "torch.Size cannot be called with these 0 arguments"),
    (Array("ctorch\nFloatStorage\n)R".utf8), 21, "a storage of F32 cannot be called with these 0 arguments"),
    (Array("ctorch._utils\n_rebuild_parameter\n(NNNtR".utf8), 38, "a parameter holds None"),
    (Array("X\u{1}\0\0\0aQ".utf8), 6, "a storage is not given as PyTorch gives it"),
    (Array("(NNNNNtQ".utf8), 7, "a storage is not given as PyTorch gives it"),
  ]

  @Test(arguments: cases.indices)
  func refuses(index: Int) throws {
    let (pickle, byte, why) = Self.cases[index]
    let folder = try TemporaryFolder()
    let file = try folder.file(zipFile([("a/data.pkl", Data(pickle))]))
    #expect(
      try refusal(file, TorchCheckpoint.read)
        == "FILE: its data.pkl is wrong at byte \(byte) (\(why)); the file is damaged.")
  }

  @Test func limits() throws {
    let folder = try TemporaryFolder()
    func refusal(_ pickle: Data) throws -> String? {
      try TorchTests.refusal(folder.file(zipFile([("a/data.pkl", pickle)])), TorchCheckpoint.read)
    }
    #expect(
      try refusal(Data(repeating: UInt8(ascii: "]"), count: 100_001))
        == "FILE: its data.pkl is wrong at byte 100000 (more than 100000 values are open); the file is damaged.")
    let many = Data(Array("N".utf8) + Array(repeating: Array("q\u{1}".utf8), count: 1000).joined())
    #expect(
      try TorchTests.refusal(folder.file(many)) { try Unpickler.value(of: many, in: InputFile($0), limit: 1000) }
        == "FILE: its data.pkl has more than 1000 instructions, the most for weights.")
  }

  @Test func integersOfAllLengths() throws {
    let folder = try TemporaryFolder()
    // The refusal of a negative size in the empty shape [0, n] shows the value read as n.
    for (bytes, value) in [([], 0), ([0xFF], -1), ([0, 1], 256), ([0xFF, 0x7F], 32767), ([0, 0x80], -32768)]
      as [([UInt8], Int)]
    {
      let storage = Array("(X\u{7}\0\0\0storagectorch\nByteStorage\nX\u{1}\0\0\00X\u{3}\0\0\0cpuK\0tQ".utf8)
      let shape = [UInt8](Array("K\0".utf8) + [0x8A, UInt8(bytes.count)] + bytes + [0x86])
      let tensor =
        Array("ctorch._utils\n_rebuild_tensor_v2\n(".utf8) + storage + Array("K\0".utf8) + shape
        + Array("K\u{1}K\u{1}".utf8) + [0x86, 0x89] + Array("}tR".utf8)
      let pickle = Data(Array("}X\u{1}\0\0\0a".utf8) + tensor + Array("s.".utf8))
      let url = try folder.file(zipFile([("a/data.pkl", pickle), ("a/data/0", Data())]))
      if value >= 0 {
        #expect(try TorchCheckpoint.read(url)["a"]?.shape == [0, value])
      } else {
        #expect(try refusal(url, TorchCheckpoint.read)?.contains("of shape [0, \(value)],") == true)
      }
    }
  }
}
