import Basics
import Foundation
import Testing
import Torch

@Suite struct SafetensorsRefusalTests {
  private let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  private func refusal(_ contents: Data) throws -> String? {
    try TorchTests.refusal(folder.file(contents), Safetensors.read)
  }

  @Test func filesThatAreNone() throws {
    let read = Safetensors.read
    #expect(
      try TorchTests.refusal(folder.url.appendingPathComponent("absent"), read)
        == "FILE: there is no such file; check the path.")
    #expect(
      try TorchTests.refusal(folder.url, read) == "FILE: is not a regular file; give the path of a file of weights.")
    #expect(
      try TorchTests.refusal(URL(fileURLWithPath: "/dev/zero"), read)
        == "FILE: is not a regular file; give the path of a file of weights.")
    #expect(try refusal(Data()) == "FILE: is empty; give a file of weights.")
    #expect(
      try refusal(Data([1, 2, 3]))
        == "FILE: is 3 bytes long, too short for a safetensors file; give another file.")
  }

  @Test func wrongHeaderLengths() throws {
    #expect(
      try refusal(bytes(UInt64(100)) + Data("{}".utf8))
        == "FILE: claims a header of 100 bytes, but 2 follow; it is cut short or no safetensors file.")
    for length in [100_000_001, UInt64(1) << 63, .max] {
      #expect(
        try refusal(bytes(length) + Data("{}".utf8))
          == "FILE: claims a header of \(length) bytes, where 100000000 are the most; "
          + "it is damaged or no safetensors file.")
    }
    for header in ["", " {}", "[]"] {
      #expect(
        try refusal(safetensors(header))
          == "FILE: its header does not begin with '{', so it is no safetensors file; give another file.")
    }
  }

  @Test(arguments: [
    (#"{"#, 1, "'\"'"), (#"{}{"#, 2, "nothing more"), (#"{"a"}"#, 4, "':'"), (#"{"a":1}"#, 5, "'{'"),
    (#"{"__metadata__":{"a":1}}"#, 21, "'\"'"), (#"{"__metadata__":{"a":"b",}}"#, 25, "'\"'"), (#"{"a"#, 3, "'\"'"),
    (#"{"\x"#, 4, "an escape"), (#"{"\"#, 3, "an escape"), (#"{"\u12"#, 4, "four hexadecimal digits"),
    (#"{"\u+123":"#, 4, "four hexadecimal digits"), (#"{"\ud800x"#, 8, "a pair of surrogates"),
    (#"{"\ud800\u0041"#, 14, "a pair of surrogates"), (#"{"\udc00"#, 8, "a pair of surrogates"),
    ("{\"\n\"", 3, "no control character"),
    (#"{"a":{"dtype":"F32"}}"#, 20, "a dtype, a shape and two data_offsets"),
    (#"{"a":{"dtype":"U8","shape":[],"data_offsets":[0]}}"#, 49, "a dtype, a shape and two data_offsets"),
    (#"{"a":{"dtype":"U8","dtype":"U8"}}"#, 27, "each of dtype, shape and data_offsets once"),
    (#"{"a":{"size":3}}"#, 13, "each of dtype, shape and data_offsets once"),
    (#"{"a":{"shape":[-1]}}"#, 15, "a whole number below 2^63"),
    (#"{"a":{"shape":[1.5]}}"#, 16, "','"), (#"{"a":{"shape":[01]}}"#, 15, "a whole number below 2^63"),
    (#"{"a":{"shape":[1e3]}}"#, 16, "','"),
    (#"{"a":{"shape":[9223372036854775808]}}"#, 15, "a whole number below 2^63"),
    (#"{"a":{"shape":[1,"#, 17, "a whole number below 2^63"), (#"{"a":{"shape":null}}"#, 14, "'['"),
  ])
  func wrongJSON(header: String, position: Int, expected: String) throws {
    #expect(
      try refusal(safetensors(header))
        == "FILE: its header is no valid safetensors JSON (at byte \(position), \(expected) was expected); "
        + "the file is damaged.")
  }

  @Test func namesThatAreNoText() throws {
    #expect(
      try refusal(bytes(UInt64(6)) + Data([0x7B, 0x22, 0xFF, 0x22, 0x3A, 0x7D]))
        == "FILE: its header is no valid safetensors JSON (at byte 4, UTF-8 was expected); the file is damaged.")
  }

  /// Makes an entry of the header.
  private func entry(_ name: String, _ begin: Int, _ end: Int, shape: String? = nil, type: String = "U8") -> String {
    #""\#(name)":{"dtype":"\#(type)","shape":\#(shape ?? "[\(end - begin)]"),"data_offsets":[\#(begin),\#(end)]}"#
  }

  @Test func repeatedNames() throws {
    #expect(
      try refusal(safetensors("{\(entry("a", 0, 1)),\(entry("a", 1, 2))}", data: Data(count: 2)))
        == "FILE: its header lists 'a' twice; the file is damaged.")
    #expect(
      try refusal(safetensors(#"{"__metadata__":{"a":"1","\u0061":"2"}}"#))
        == "FILE: its __metadata__ lists 'a' twice; the file is damaged.")
    #expect(
      try refusal(safetensors(#"{"__metadata__":{},"__metadata__":{}}"#))
        == "FILE: its header lists '__metadata__' twice; the file is damaged.")
  }

  @Test func unknownTypes() throws {
    for type in ["F8_E4M3", "f32", "C64", ""] {
      #expect(
        try refusal(safetensors("{\(entry("w\\n\u{202E}", 0, 1, type: type))}", data: Data(count: 1)))
          == "FILE: the tensor 'w\\n\\u{202E}' has the type '\(type)', which is none of F64, F32, F16, BF16, I64, I32, "
          + "I16, I8, U8, BOOL; convert it to one of them.")
    }
  }

  @Test(arguments: [
    // Overlap, gap at the start, gap between, reversed.
    ([(0, 4), (2, 6)], 1, 4), ([(1, 4)], 0, 0), ([(0, 2), (3, 4)], 1, 2), ([(0, 2), (2, 1)], 1, 2),
    ([(0, 4), (0, 4)], 1, 4), ([(9_223_372_036_854_775_807, 0)], 0, 0),
  ])
  func placesThatDoNotFollowEachOther(places: [(Int, Int)], wrong: Int, expected: Int) throws {
    let entries = places.enumerated().map { entry("t\($0)", $1.0, $1.1, shape: "[\(max(0, $1.1 - $1.0))]") }
    let (begin, end) = places[wrong]
    #expect(
      try refusal(safetensors("{\(entries.joined(separator: ","))}", data: Data(count: 6))) == """
        FILE: the tensor 't\(wrong)' lies at bytes \(begin) to \(end) of the data, where \(expected) was expected as \
        its begin (no overlaps, no holes); the file is damaged.
        """)
  }

  @Test(arguments: [
    ("F32", "[3]", "[3]"), ("F32", "[]", "[]"), ("U8", "[9]", "[9]"), ("U8", "[0]", "[0]"),
    ("F64", "[4611686018427387904,4]", "[4611686018427387904, 4]"),
    ("U8", "[1,1,1,1,1,1,1,1,1,7]", "[1, 1, 1, 1, 1, 1, 1, 1, …]"),
    ("U8", "[8\(String(repeating: ",1", count: 64))]", "[8, 1, 1, 1, 1, 1, 1, 1, …]"),
  ])
  func shapesThatDoNotFit(type: String, shape: String, shown: String) throws {
    #expect(
      try refusal(safetensors("{\(entry("a", 0, 8, shape: shape, type: type))}", data: Data(count: 8))) == """
        FILE: the tensor 'a' of type \(type) and shape \(shown) does not take the 8 bytes that it is given; the file \
        is damaged.
        """)
  }

  @Test func dataThatIsTooShortOrTooLong() throws {
    for count in [0, 3, 5] {
      #expect(
        try refusal(safetensors("{\(entry("a", 0, 4))}", data: Data(count: count)))
          == "FILE: its header describes 4 bytes of data, but \(count) follow; the file is cut short or damaged.")
    }
    let whole = try Data(contentsOf: fixture("all_types.safetensors"))
    let dataStart = 8 + Int(whole[0]) + Int(whole[1]) << 8
    for count in 1..<whole.count {
      let found = try refusal(whole.prefix(count)) ?? "no refusal"
      let expected = count < 8 ? "too short" : count < dataStart ? "claims a header" : "its header describes"
      #expect(found.contains(expected))
    }
  }

  @Test func writingRefusesWrongNames() throws {
    let url = folder.url.appendingPathComponent("out.safetensors")
    let tensor = StoredTensor(dtype: .uint8, shape: [], data: Data([1]))
    #expect(throws: Refusal(.weights, sentence: "\(url.path): the tensor name 'a' is given twice; rename the tensor."))
    {
      try Safetensors(tensors: [("a", tensor), ("a", tensor)]).write(to: url)
    }
    let reserved = "\(url.path): the tensor name '__metadata__' is reserved by the format; rename the tensor."
    #expect(throws: Refusal(.weights, sentence: reserved)) {
      try Safetensors(tensors: [("__metadata__", tensor)]).write(to: url)
    }
    let inside = try folder.file(Data()).appendingPathComponent("out.safetensors")
    #expect(throws: Refusal.self) { try Safetensors(tensors: [("a", tensor)]).write(to: inside) }
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder.url.path) == ["file"])
  }
}
