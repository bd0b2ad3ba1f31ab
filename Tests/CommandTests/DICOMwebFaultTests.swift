import Basics
import Foundation
import Testing

@testable import MedicalImaging

/// Servers that answer otherwise than DICOMweb should.
@Suite(.endsSomeTime) struct DICOMwebFaultTests {
  typealias Answer = ScriptedServer.Answer
  let folder: TemporaryFolder
  private static let (study, series) = (DICOMwebCommands.study, DICOMwebCommands.series)
  private static let files = contents(of: DICOMwebCommands.oblique).compactMap {
    try? Data(contentsOf: DICOMwebCommands.oblique.appendingPathComponent($0))
  }

  init() throws { folder = try TemporaryFolder() }

  /// A search's answer that names a series, and so many images.
  private static func found(_ images: Int, modality: String = "MR", of series: String = series) -> Answer {
    .json(
      """
      [{"0020000E": {"vr": "UI", "Value": ["\(series)"]}, "00201209": {"vr": "IS", "Value": [\(images)]},
        "00080060": {"vr": "CS", "Value": ["\(modality)"]}}]
      """)
  }

  private static func instances(_ numbers: some Sequence<Int>) -> Answer {
    .json("[" + numbers.map { #"{"00080018": {"vr": "UI", "Value": ["1.2.\#($0)"]}}"# }.joined(separator: ",") + "]")
  }

  private static let multipart = #"multipart/related; type="application/dicom"; boundary="a b""#

  private static func part(_ file: Data) -> Data {
    Data("\r\n--a b\r\nContent-Type: application/dicom\r\n\r\n".utf8) + file
  }

  private static func parts(_ files: some Sequence<Data>) -> Data { files.map(part).reduce(Data(), +) }

  private static let ending = Data("\r\n--a b--\r\n".utf8)

  /// A server that finds a series of five images, and answers their fetch so.
  private static func server(_ fetch: Answer, found: Answer = found(5)) throws -> ScriptedServer {
    try ScriptedServer { request in
      if request.names("/instances?") { return instances(request.names("offset=0") ? 1..<6 : 1..<1) }
      return request.names("SeriesInstanceUID=") ? found : fetch
    }
  }

  private func address(_ server: ScriptedServer) -> String { "dicomweb+http://127.0.0.1:\(server.port)/web" }

  private func web(_ server: ScriptedServer, _ limits: TransferLimits = TransferLimits()) throws -> DICOMwebServer {
    var web = DICOMwebServer(try DICOMwebAddress(address(server) + DICOMwebCommands.end))
    web.limits = limits
    return web
  }

  private func expect(
    _ sentence: String, of server: ScriptedServer, _ limits: TransferLimits = TransferLimits(),
    _ location: SourceLocation = #_sourceLocation
  ) throws {
    for name in contents(of: folder.url) { try FileManager.default.removeItem(at: folder.file(name)) }
    let refusal = #expect(throws: Refusal.self, sourceLocation: location) {
      try web(server, limits).fetch(into: folder.url) { _, _ in true }
    }
    #expect(refusal?.description == "\(address(server)): \(sentence).", sourceLocation: location)
  }

  @Test func aWholeSeries() throws {
    let server = try Self.server(Answer(200, Self.multipart, Self.parts(Self.files) + Self.ending))
    let place = folder.file("series")
    try FileManager.default.createDirectory(at: place, withIntermediateDirectories: true)
    try web(server).fetch(into: place) { _, _ in true }
    let names = contents(of: place)
    #expect(names == (1...5).map { "00000\($0).dcm" })
    #expect(try names.map { try Data(contentsOf: place.appendingPathComponent($0)) } == Self.files)
    #expect(server.requests.last?.names("GET /web\(DICOMwebCommands.end) HTTP/1.1") == true)
    #expect(server.requests.last?.head.contains("transfer-syntax=*") == true)
  }

  @Test func searches() throws {
    let nothing = Answer(204, "application/dicom+json")
    try expect("has no series \(Self.series) in this study; check the UIDs", of: ScriptedServer { _ in .json("[]") })
    try expect("has no series \(Self.series) in this study; check the UIDs", of: ScriptedServer { _ in nothing })
    try expect(
      "the series holds no images, since its modality is SEG; choose another series",
      of: Self.server(nothing, found: Self.found(5, modality: "SEG")))
    try expect(
      "answers a search with damaged JSON; look into the server's log", of: ScriptedServer { _ in .json("[{") })
    try expect(
      "answers in another format than DICOMweb's; check the address",
      of: ScriptedServer { _ in Answer(200, "text/plain") })
    try expect(
      "its answers do not end; look into the server's log",
      of: ScriptedServer { _ in
        Answer(200, "application/dicom+json", then: .repetition(Data(repeating: 32, count: 1 << 20)))
      })
    try expect(
      "its answers do not end; look into the server's log",
      of: ScriptedServer { _ in
        Answer(bytes: Data("HTTP/1.1 200 OK\r\n".utf8), then: .repetition(Data("X-More: more\r\n".utf8)))
      })
    try expect(
      "has a series of more than 3 images, 512 MiB an image, or half of the free space; make room on the disk of "
        + "\(folder.path), or choose another series", of: Self.server(nothing), TransferLimits(images: 3))
  }

  /// Images are counted page by page, also where a server does not know of pages or tells no number.
  @Test(arguments: ["pages", "no pages", "the number alone"]) func counting(server kind: String) throws {
    let server = try ScriptedServer { request in
      guard request.names("/instances?") else { return Self.found(kind == "the number alone" ? 25 : 0) }
      switch kind {
      case "pages":
        let first = Int(request.head.firstMatch(of: /offset=([0-9]+)/)!.1)!
        return Self.instances(first..<min(25, first + 10))
      case "no pages": return Self.instances(0..<25)
      default: return Self.instances(0..<0)
      }
    }
    let web = try web(server)
    let client = try HTTPClient(nil, authorities: nil, isDirect: true, web.limits)
    #expect(try web.countImages(client) { true } == 25)
  }

  @Test func fetches() throws {
    let (files, ending) = (Self.files, Self.ending)
    func expect(_ sentence: String, _ body: Data, then end: Answer.End = .close) throws {
      try self.expect(sentence, of: Self.server(Answer(200, Self.multipart, body, then: end)))
    }
    let log = "look into the server's log"
    try expect("the connection was cut after 2 of 5 files; try again", Self.parts(files[..<3]))
    try expect("the connection was cut after 5 of 5 files; try again", Self.parts(files) + ending.prefix(7))
    try expect(
      "sent 4 of 5 images; \(log); it may hold the others in a compression that is not read",
      Self.parts(files[..<4]) + ending)
    try expect("sends more images than the 5 that it has found; \(log)", Self.parts(files + files[..<1]) + ending)
    try expect(
      "sends more images than the 5 that it has found; \(log)", Data(), then: .repetition(Self.part(files[0])))
    try expect("sent an empty image; \(log)", Self.parts([Data()]) + ending)
    try expect("sent a damaged multipart answer; \(log)", Self.parts(files[..<2]) + Data("\r\n--a bc".utf8) + ending)
    try expect("sent a damaged multipart answer; \(log)", Data(repeating: 65, count: 1 << 13))
    try self.expect(
      "answers in another format than DICOMweb's; check the address",
      of: Self.server(Answer(200, "multipart/related", Self.parts(files) + ending)))
    // A length that the answer does not have.
    try self.expect(
      "the connection was cut after 3 of 5 files; try again",
      of: Self.server(Answer(200, Self.multipart, Self.parts(files[..<4]), headers: "Content-Length: 99999\r\n")))
  }

  @Test func boundsOfImages() throws {
    let body = Self.parts(Self.files) + Self.ending
    for limits in [TransferLimits(imageBytes: 2_000), TransferLimits(seriesBytes: 10_000)] {
      let server = try Self.server(Answer(200, Self.multipart, body))
      let refusal = #expect(throws: Refusal.self) {
        try web(server, limits).fetch(into: folder.url) { _, _ in true }
      }
      #expect(refusal?.found.hasPrefix("has a series of more than") == true)
      for name in contents(of: folder.url) { try FileManager.default.removeItem(at: folder.file(name)) }
    }
  }

  @Test(
    arguments: [
      (302, "sends to another address (status 302), which is not followed; give the address that the server has now"),
      (401, "asks for a user and password, or a token (status 401); give a file of them by \(Setting.credentials)"),
      (403, "does not allow this (status 403); ask its administrator for the rights, or give \(Setting.credentials)"),
      (404, "has no such study, or no DICOMweb at this path (status 404); check the UIDs, and the path before studies"),
      (500, "refuses to search for the series (status 500); look into the server's log"),
      (503, "is too busy (status 503); try again later"),
    ]) func statuses(status: Int, sentence: String) throws
  {
    // Words and names of the server never get into messages.
    let body = Data("Anna Patient".utf8)
    let server = try ScriptedServer { _ in
      Answer(status, "text/plain", body, headers: "Location: http://127.0.0.1:1/Anna\r\n")
    }
    try expect(sentence, of: server)
    #expect(server.requests.count == 1)
  }

  @Test func pages() throws {
    let sentence = "check the path, such as /dicom-web"
    for status in [200, 404] {
      let server = try ScriptedServer { _ in Answer(status, "text/html; charset=utf-8", Data("<html>".utf8)) }
      try expect("has no DICOMweb at this path (status \(status)); \(sentence)", of: server)
    }
  }

  @Test func anEncryptedPort() throws {
    let server = try ScriptedServer { _ in Answer(400, "text/html", Data("<html>".utf8)) }
    try expect("does not take unencrypted requests (status 400); give dicomweb+https://", of: server)
  }

  @Test func otherLanguages() throws {
    let server = try ScriptedServer { _ in Answer(bytes: Data("220 mail.example ESMTP\r\n".utf8)) }
    try expect(
      "does not answer in HTTP; check the port; an encrypted one takes dicomweb+https://", of: server)
  }

  /// The temporary folder is gone when a message is read. The other series' description is no part of one.
  @Test func aSeriesThatCannotBeReadIsNamedByItsAddress() throws {
    let commands = try DICOMwebCommands()
    let other = "\(DICOMwebCommands.root).7"
    let file = try Data(contentsOf: fixtures.appendingPathComponent("dicom/jpeg-2000.dcm"))
    let server = try ScriptedServer { request in
      if request.names("/instances?") { return Self.instances(request.names("offset=0") ? 1..<2 : 1..<1) }
      let found = Self.found(1, of: request.names(other) ? other : Self.series)
      return request.names("SeriesInstanceUID=")
        ? found : Answer(200, Self.multipart, Self.part(file) + Self.ending)
    }
    try commands.expect(
      "\(address(server)): sent an image of another series; look into the server's log.",
      of: commands.arguments(address(server) + DICOMwebCommands.end, "mask.nii.gz"))
    let input = "\(address(server))/studies/\(Self.study)/series/\(other)"
    try commands.expect(
      "\(input), image 1: its pixels are compressed as JPEG 2000, which is not read; decompress it (for example by gdcmconv "
        + "--raw) or convert it to NIfTI.", of: commands.arguments(input, "mask.nii.gz"))
  }

  @Test func silence() throws {
    var limits = TransferLimits()
    limits.answering = 2
    let server = try Self.server(Answer(200, Self.multipart, Self.parts(Self.files[..<2]), then: .silence))
    try expect("sent nothing for 2 s; try again later", of: server, limits)
  }
}
