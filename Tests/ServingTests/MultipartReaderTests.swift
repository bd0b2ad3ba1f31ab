import Basics
import Serving
import Testing

@Suite struct MultipartReaderTests {
  /// What a reader hands on, with the pieces of a part's data joined.
  enum Step: Equatable {
    case begin(MultipartReader.Part)
    case data([UInt8])
    case end, finished
  }

  static let monai = "----------lImIt_of_THE_fIle_eW_$"

  /// Reads a body in chunks that end at some places.
  static func steps(
    _ body: [UInt8], _ type: String, cuts: [Int] = [], limits: MultipartReader.Limits = .init()
  ) throws -> [Step] {
    var reader = try MultipartReader(contentType: type, limits: limits)
    var steps: [Step] = []
    for (start, end) in zip([0] + cuts, cuts + [body.count]) {
      // Bytes of their own, so that a reader that looks beyond a chunk is found out.
      try Array(body[start..<end]).withUnsafeBytes { chunk in
        try reader.feed(chunk) { event in
          switch event {
          case .begin(let part): steps.append(.begin(part))
          case .data(let bytes):
            #expect(!bytes.isEmpty)
            if case .data(let earlier) = steps.last {
              steps[steps.count - 1] = .data(earlier + bytes)
            } else {
              steps.append(.data(Array(bytes)))
            }
          case .end: steps.append(.end)
          case .finished: steps.append(.finished)
          }
        }
      }
    }
    try reader.finish()
    return steps
  }

  /// Reads a body whole, byte by byte, and in two chunks cut at every place; all must agree.
  static func allWays(_ text: String, boundary: String = "B", limits: MultipartReader.Limits = .init()) throws -> [Step]
  {
    let (body, type) = (Array(text.utf8), "multipart/form-data; boundary=\"\(boundary)\"")
    let ways = [[], Array(1..<max(1, body.count))] + (1..<max(1, body.count)).map { [$0] }
    let results = ways.map { cuts in
      Result { try steps(body, type, cuts: cuts, limits: limits) }.mapError { $0 as! MultipartFault }
    }
    for (cuts, result) in zip(ways, results) { #expect(result == results[0], "\(cuts)") }
    return try results[0].get()
  }

  static func part(_ name: String, _ fileName: String? = nil, _ type: String? = nil) throws -> Step {
    let file = fileName.map { "; filename=\"\($0)\"" } ?? ""
    let text =
      "--B\r\nContent-Disposition: form-data; name=\"\(name)\"\(file)\r\n"
      + (type.map { "Content-Type: \($0)\r\n" } ?? "")
      + "\r\n\r\n--B--"
    return try #require(try steps(Array(text.utf8), "multipart/form-data; boundary=B").first)
  }

  static func fault(_ text: String, limits: MultipartReader.Limits = .init()) -> MultipartFault? {
    #expect(throws: MultipartFault.self, "\(text.debugDescription)") { try allWays(text, limits: limits) }
  }

  /// One field with a header of its own.
  static func form(_ header: String) -> String { "--B\r\n\(header)\r\n\r\nx\r\n--B--\r\n" }

  static func form(name: String) -> String { form("Content-Disposition: form-data; \(name)") }

  @Test func readsAFormAsMONAILabelsClientSendsIt() throws {
    let text = """
      --\(Self.monai)
      Content-Disposition: form-data; name="params"

      {"result_extension": ".nrrd"}
      --\(Self.monai)
      Content-Disposition: form-data; name="file"; filename="/tmp/Slicer/tmp_1.nii.gz"
      Content-Type: application/gzip

      \u{1f}

      --\(Self.monai)-
      --\(Self.monai)--


      """.replacing("\n", with: "\r\n").replacing("--\(Self.monai)-\r\n", with: "-----lImIt\r\n")
    let steps = try Self.allWays(text, boundary: Self.monai)
    guard steps.count == 7, case .begin(let params) = steps[0], case .begin(let file) = steps[3] else {
      Issue.record("\(steps)")
      return
    }
    #expect(params.name == "params" && params.fileName == nil && params.contentType == nil)
    #expect(steps[1] == .data(Array(#"{"result_extension": ".nrrd"}"#.utf8)) && steps[2] == .end)
    #expect(
      file.name == "file" && file.fileName == "/tmp/Slicer/tmp_1.nii.gz" && file.contentType == "application/gzip")
    #expect(steps[4] == .data(Array("\u{1f}\r\n\r\n-----lImIt".utf8)))
    #expect(steps[5...] == [.end, .finished])
  }

  @Test func skipsWhatIsAroundTheParts() throws {
    let field = "Content-Disposition: form-data; name=\"a\"\r\n\r\n"
    let expected: [Step] = [try Self.part("a"), .data([120]), .end, .finished]
    for (before, after) in [
      ("", ""), ("\r\n", "\r\n"), ("Some words.\r\n-\r\n--\r\n", " \t\r\nmore\n--B\r\n"), ("", "\r\n--B\r\n"),
      ("", "\r"),
    ] {
      #expect(try Self.allWays("\(before)--B \t \r\n\(field)x\r\n--B--\(after)") == expected)
    }
    #expect(try Self.allWays("--B--") == [.finished])
  }

  @Test(arguments: [
    "", "\r", "\n", "\r\n", "\r\r", "\n\n", "\r\n-", "\r\n--", "\r\n--A", "\r\r\n", "--b", "\n-B", "\r\n\r\n", "-",
    "\n\r",
    "\n\n\n-\n\n--\n\n", "\r\n-\r\n--\r\n--C", "\r\n\r\n--\r\n--",
  ]) func handsOnDataThatLookLikeABoundary(data: String) throws {
    let text = "--B\r\nContent-Disposition: form-data; name=a\r\n\r\n\(data)\r\n--B--"
    let middle: [Step] = data.isEmpty ? [] : [.data(Array(data.utf8))]
    #expect(try Self.allWays(text) == [try Self.part("a")] + middle + [.end, .finished])
  }

  /// The line end behind a header may be that before a boundary (RFC 2046).
  @Test func takesAPartWithoutABody() throws {
    let field = "Content-Disposition: form-data; name=a\r\n\r\n"
    let part = try Self.part("a")
    #expect(try Self.allWays("--B\r\n\(field)--B\r\n\(field)--B--\r\n") == [part, .end, part, .end, .finished])
  }

  static let names: [(String, String, String?)] = [
    (#"name="a""#, "a", nil), ("NAME=a; FileName=b.nii", "a", "b.nii"),
    (#"name="a;b";filename="c = d""#, "a;b", "c = d"),
    (#"name="a\"b\\c""#, #"a"b\c"#, nil), (#"name=a; filename="C:\Temp\new\x.nii.gz""#, "a", #"C:\Temp\new\x.nii.gz"#),
    (#"name="%22a%0D%0A%41%""#, "\"a\r\n%41%", nil), (#"name="Zürich 脑.nii""#, "Zürich 脑.nii", nil),
    ("name=a; filename=\"b\"; filename*=UTF-8''%e8%84%91%20%22.nii", "a", "脑 \".nii"),
    ("name*=utf-8'de'Z%C3%BCrich", "Zürich", nil), (#"name="a"; filename="""#, "a", ""), (#"name="a";"#, "a", nil),
    ("name=a;\r\n\tfilename=b", "a", "b"), ("name=\"a\" ; filename=../../b", "a", "../../b"),
  ]

  @Test(arguments: names) func readsNames(text: String, name: String, file: String?) throws {
    guard case .begin(let part) = try Self.allWays(Self.form(name: text)).first else {
      Issue.record("no part")
      return
    }
    #expect(part.name == name && part.fileName == file)
  }

  @Test(arguments: [
    ("multipart/form-data; boundary=B", "B"), ("Multipart/Form-Data ;charset=utf-8; Boundary=\"B\"", "B"),
    ("multipart/form-data; boundary=\"a b:c\"", "a b:c"), ("multipart/form-data; boundary=--=_x/1?", "--=_x/1?"),
    ("multipart/form-data; boundary=" + monai, monai),
    ("multipart/form-data; boundary=" + String(repeating: "x", count: 70), String(repeating: "x", count: 70)),
  ]) func findsTheBoundary(type: String, boundary: String) throws {
    #expect(try Self.steps(Array("--\(boundary)--".utf8), type) == [.finished])
  }

  @Test(
    arguments: [
      ("application/json", .otherType), ("multipart/mixed; boundary=B", .otherType), ("", .otherType),
      ("multipart/form-data", .badBoundary), ("multipart/form-data; boundary=", .badBoundary),
      ("multipart/form-data; boundary=\"\"", .badBoundary), ("multipart/form-data; boundary=\"B", .badBoundary),
      ("multipart/form-data; boundary=\"B \"", .badBoundary), ("multipart/form-data; boundary=ü", .badBoundary),
      ("multipart/form-data; boundary=B; boundary=C", .badBoundary),
      ("multipart/form-data; boundary=a b", .badBoundary),
      ("multipart/form-data; boundary=" + String(repeating: "x", count: 71), .badBoundary),
      ("multipart/form-data; boundary=\"a\r\nb\"", .badBoundary),
    ] as [(String, MultipartFault)]) func refusesAType(type: String, fault: MultipartFault)
  {
    #expect(throws: fault) { try MultipartReader(contentType: type) }
  }

  static let damages: [(String, MultipartFault)] = [
    ("", .noBoundary), ("hello", .noBoundary), ("--C\r\n\r\n--C--", .noBoundary), (" --B--", .noBoundary),
    ("--B\r\nContent-Disposition: form-data; name=a\r\n\r\nx", .cutShort), ("--B", .cutShort), ("--B-", .cutShort),
    ("--B\r\nContent-Disposition: form-data; name=a\r\n\r\nx\r\n--B", .cutShort), ("--B\r\nContent", .cutShort),
    ("--B\nContent-Disposition: form-data; name=a\n\nx\n--B--\n", .lineEnd),
    ("--B\r\nContent-Disposition: form-data; name=a\n\r\nx\r\n--B--\r\n", .lineEnd),
    ("--B\r\nContent-Disposition: form-data; name=a\r\r\nx\r\n--B--\r\n", .lineEnd),
    ("--B\r\nContent-Disposition: form-data; name=a\r\n\r\nx\n--B--\r\n", .lineEnd),
    ("--B\r\nContent-Disposition: form-data; name=a\r\n\r\nx\r\n--B--\n", .lineEnd), ("--B \r--B--", .lineEnd),
    ("--Bx\r\n", .boundaryGoesOn), ("--B-x\r\n", .boundaryGoesOn), ("--B--x", .boundaryGoesOn),
    ("--B --", .boundaryGoesOn),
    (form("Content-Disposition form-data"), .badHeader), (form(" a: b"), .badHeader), (form(": b"), .badHeader),
    (form("Content Type: b"), .badHeader), (form("A: \u{0}"), .badHeader), (form("X: y"), .noDisposition),
    (form("Content-Disposition: attachment; name=a"), .noDisposition), (form(name: "name"), .noDisposition),
    (form(name: "name=a; name=b"), .noDisposition), (form(name: #"name="a"#), .noDisposition),
    (form(name: "name=a b"), .noDisposition), (form(name: #"name="a"b"#), .noDisposition),
    (form(name: "name=a\r\nContent-Disposition: form-data; name=b"), .noDisposition),
    (form(name: "name="), .noDisposition),
    (form(name: "filename=a"), .noName), (form(name: #"name="""#), .noName),
    (form("Content-Disposition: form-data"), .noName),
    (form(name: "name*=UTF-8''%FF"), .badText), (form(name: "name*=ISO-8859-1''a"), .badText),
    (form(name: "name*=UTF-8''%4"), .badText), (form(name: "name*=a"), .badText),
    (form(name: "name=a\r\nContent-Transfer-Encoding: base64"), .coded),
    (form(name: "name=a\r\nContent-Type: Multipart/Mixed; boundary=x"), .nested),
    (form(name: "name=a\r\nContent-Type: a/b\r\nContent-Type: c/d"), .badHeader),
  ]

  @Test(arguments: damages) func refusesDamage(text: String, fault: MultipartFault) {
    #expect(Self.fault(text) == fault, "\(text.debugDescription)")
    #expect(fault.description.hasSuffix(".") && fault.description.split(separator: " ").count <= 25)
  }

  @Test func refusesTextsThatAreNotUTF8() {
    let body =
      Array("--B\r\nContent-Disposition: form-data; name=\"a".utf8) + [0xE9] + Array("\"\r\n\r\n\r\n--B--".utf8)
    #expect(throws: MultipartFault.badText) { try Self.steps(body, "multipart/form-data; boundary=B") }
  }

  @Test func everyCutOfAFormIsRefused() throws {
    let text =
      "Hello\r\n--B\r\nContent-Disposition: form-data; name=a\r\n\r\nx\r\n--B \r\n"
      + "Content-Disposition: form-data; name=b; filename=c\r\n\r\n\r\n--B--"
    #expect(try Self.allWays(text).last == .finished)
    for count in 0..<text.utf8.count {
      let body = Array(text.utf8.prefix(count))
      #expect(throws: count < 10 ? MultipartFault.noBoundary : .cutShort, "\(count)") {
        try Self.steps(body, "multipart/form-data; boundary=B")
      }
    }
  }

  @Test func limitsAreExact() throws {
    func limits(_ change: (inout MultipartReader.Limits) -> Void) -> MultipartReader.Limits {
      var limits = MultipartReader.Limits()
      change(&limits)
      return limits
    }
    let header = "Content-Disposition: form-data; name=a\r\n\r\n"
    let two = "--B\r\n\(header)xyz\r\n--B\r\n\(header)xyz\r\n--B--\r\nend"
    #expect(try Self.allWays(two, limits: limits { $0.headerBytes = header.utf8.count }).count == 7)
    #expect(Self.fault(two, limits: limits { $0.headerBytes = 41 }) == .headerTooLong(bytes: 41))
    #expect(try Self.allWays(two, limits: limits { $0.parts = 2 }).count == 7)
    #expect(Self.fault(two, limits: limits { $0.parts = 1 }) == .tooManyParts(1))
    #expect(try Self.allWays(two, limits: limits { $0.fieldBytes = 3 }).count == 7)
    #expect(Self.fault(two, limits: limits { $0.fieldBytes = 2 }) == .fieldTooLong(bytes: 2))
    let file = two.replacing("name=a", with: "name=a; filename=b")
    #expect(try Self.allWays(file, limits: limits { $0.fieldBytes = 2 }).count == 7)
    #expect(try Self.allWays(two, limits: limits { $0.outsideBytes = 3 }).count == 7)
    #expect(Self.fault(two, limits: limits { $0.outsideBytes = 2 }) == .tooMuchOutside(bytes: 2))
    #expect(
      Self.fault("--B" + String(repeating: " ", count: 9), limits: limits { $0.outsideBytes = 8 })
        == .tooMuchOutside(bytes: 8))
    #expect(Self.fault("123456789\r\n--B--", limits: limits { $0.outsideBytes = 8 }) == .noBoundary)
  }

  @Test func anErrorStays() throws {
    struct Full: Error {}
    var reader = try MultipartReader(contentType: "multipart/form-data; boundary=B")
    try Array("--B--".utf8).withUnsafeBytes { body in
      #expect(throws: Full.self) { try reader.feed(body) { _ in throw Full() } }
      #expect(throws: Full.self) { try reader.feed(body) { _ in Issue.record("read on") } }
    }
    #expect(throws: Full.self) { try reader.finish() }
  }

  /// Random parts of bytes that are often those of boundaries, in chunks of random lengths.
  @Test(arguments: 0..<200) func randomFormsComeBack(seed: Int) throws {
    var random = SeededGenerator(seed: UInt64(seed))
    let letters = Array("abB-\r\n ".utf8)
    let boundary = String(
      decoding: (0...random.integer(below: 5)).map { _ in letters[random.integer(below: 4)] }, as: UTF8.self)
    var (body, expected) = ([UInt8](), [Step]())
    for index in 0..<random.integer(below: 6) {
      var data: [UInt8]
      repeat {
        data = (0..<random.integer(below: 60)).map { _ in letters[random.integer(below: letters.count)] }
      } while ([10] + data).contains(Array("\n--\(boundary)".utf8))
      let file = random.integer(below: 2) == 0 ? nil : "f\(index)"
      let disposition = "Content-Disposition: form-data; name=n\(index)" + (file.map { "; filename=\($0)" } ?? "")
      body += Array("--\(boundary)\r\n\(disposition)\r\n\r\n".utf8) + data + [13, 10]
      expected += [try Self.part("n\(index)", file)] + (data.isEmpty ? [] : [.data(data)]) + [.end]
    }
    body += Array("--\(boundary)--\r\n".utf8)
    for _ in 0..<20 {
      let cuts = (0..<random.integer(below: 12)).map { _ in random.integer(below: body.count) }.sorted()
      let steps = try Self.steps(body, "multipart/form-data; boundary=\(boundary)", cuts: cuts)
      #expect(steps == expected + [.finished], "\(cuts)")
    }
    // Damage gives an error or other steps, the same however the body is cut.
    for _ in 0..<20 {
      var damaged = body
      damaged[random.integer(below: body.count)] = letters[random.integer(below: letters.count)]
      let cuts = (0..<random.integer(below: 12)).map { _ in random.integer(below: body.count) }.sorted()
      let results = [[], cuts].map { cuts in
        Result { try Self.steps(damaged, "multipart/form-data; boundary=\(boundary)", cuts: cuts) }
          .mapError { $0 as! MultipartFault }
      }
      #expect(results[0] == results[1], "\(cuts)")
    }
  }
}
