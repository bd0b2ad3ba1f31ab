import Foundation
import TestSupport
import Testing
import Torch

@Suite struct SafetensorsTests {
  @Test func readsAllTypesThatPythonWrote() throws {
    let file = try Safetensors.read(fixture("all_types.safetensors"))
    #expect(file.metadata == ["nöte": "a \"quote\"\n"])
    #expect(file.tensors.count == 18)
    for type in StoredType.allCases {
      let tensor = try #require(file["values.\(type.rawValue)"])
      #expect(tensor.dtype == type)
      #expect(tensor.shape == [2, 3])
      #expect(tensor.data.count == 6 * type.byteCount)
    }
    let floats = try #require(file["values.F32"]).data.withUnsafeBytes { Array($0.bindMemory(to: Float.self)) }
    #expect(floats == [0, 1, 2, 100, 3, 127])
    #expect(file["values.BF16"]?.data.suffix(2) == Data([0xFE, 0x42]))  // 127 is 0x42FE0000
    #expect(file["values.BOOL"]?.data == Data([0, 1, 1, 1, 1, 1]))
    #expect(file["scalar"] == StoredTensor(dtype: .float32, shape: [], data: Data([0, 0, 0xC0, 0x3F])))
    #expect(file["empty"] == StoredTensor(dtype: .float32, shape: [2, 0, 3], data: Data()))
    #expect(file["Größe.μ.体积.🩻"]?.shape == [2])
    #expect(file["quoted \"\\ \n\u{1}"]?.shape == [3])
    #expect(file["absent"] == nil)
  }

  @Test func tensorsComeInTheOrderOfTheirPlaces() throws {
    let folder = try TemporaryFolder()
    let header = """
      { "second" : {"dtype":"U8","shape":[1],"data_offsets":[2,3]},
        "\\u00e9\\ud83e\\ude7b\\/": {"data_offsets":[0 , 2],"dtype":"U8","shape":[2,1]},
        "empty b":{"dtype":"F32","shape":[0],"data_offsets":[2,2]},
        "empty a":{"dtype":"F32","shape":[0],"data_offsets":[2,2]} }\u{20}
      """
    let file = try Safetensors.read(folder.file(safetensors(header, data: Data([7, 8, 9]))))
    #expect(file.tensors.map(\.name) == ["é🩻/", "empty b", "empty a", "second"])
    #expect(file.tensors[0].tensor == StoredTensor(dtype: .uint8, shape: [2, 1], data: Data([7, 8])))
    #expect(file["second"]?.data == Data([9]))
  }

  @Test func anEmptyFileOfTensorsIsOne() throws {
    let folder = try TemporaryFolder()
    #expect(try Safetensors.read(folder.file(safetensors("{}"))).tensors.isEmpty)
    let url = folder.url.appendingPathComponent("written")
    try Safetensors(tensors: []).write(to: url)
    #expect(try Data(contentsOf: url) == safetensors("{}      "))
  }

  static let ours = Safetensors(
    tensors: [
      (
        "z",
        StoredTensor(dtype: .float32, shape: [2, 2], data: Data([1, 2, 3, 4].map(\Float.bitPattern).flatMap(bytes)))
      ),
      ("odd", StoredTensor(dtype: .uint8, shape: [3], data: Data([9, 1, 2, 3]).dropFirst())),
      ("nothing", StoredTensor(dtype: .int64, shape: [0], data: Data())),
      ("Größe \"\\\n", StoredTensor(dtype: .float64, shape: [], data: bytes((-0.5).bitPattern))),
    ],
    metadata: ["μ": "1", "format": "pt"])

  /// The fixture's script asserts that Python's safetensors reads exactly these bytes.
  @Test func writesTheBytesThatPythonWasSeenToRead() throws {
    let folder = try TemporaryFolder()
    let url = folder.url.appendingPathComponent("swift.safetensors")
    try Self.ours.write(to: url)
    let written = try Data(contentsOf: url)
    #expect(written == (try Data(contentsOf: fixture("swift.safetensors"))))
    #expect(written[0].isMultiple(of: 8))
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder.url.path) == ["swift.safetensors"])
  }

  @Test func whatWasReadIsWrittenAndReadAgain() throws {
    let folder = try TemporaryFolder()
    let url = folder.url.appendingPathComponent("again.safetensors")
    for name in ["all_types", "layouts", "network", "swift"] {
      let original = try Safetensors.read(fixture("\(name).safetensors"))
      try original.write(to: url)
      let again = try Safetensors.read(url)
      expectSame(again.tensors, original.tensors)
      #expect(again.metadata == original.metadata)
    }
  }

  @Test(.enabled(if: TestEnvironment.isThere, "needs the reader of safetensors; make test-env gets it"))
  func pythonReadsOurs() throws {
    let folder = try TemporaryFolder()
    let url = folder.url.appendingPathComponent("ours.safetensors")
    try Self.ours.write(to: url)
    let program = """
      import safetensors, sys
      for name, tensor in safetensors.deserialize(open(sys.argv[1], "rb").read()):
        print(repr(name), tensor["dtype"], tensor["shape"], bytes(tensor["data"]).hex())
      """
    // Sorted, since the empty tensor has the same offset as another.
    #expect(
      try TestEnvironment.output(of: ["-c", program, url.path]).split(separator: "\n").sorted() == [
        #"'Größe "\\\n' F64 [] 000000000000e0bf"#, "'nothing' I64 [0] ", "'odd' U8 [3] 010203",
        "'z' F32 [2, 2] 0000803f000000400000404000008040",
      ])
  }
}
