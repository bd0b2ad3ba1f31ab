import Foundation
import MedicalImaging
import Testing

/// How a server starts, ends, and leaves nothing behind.
@Suite struct ServeEndTests {
  private let scan: Data

  init() throws { scan = try Data(contentsOf: Tiny.data.appendingPathComponent("Site-A/Case00.nii.gz")) }

  private var form: RequestForm { RequestForm().with("file", named: "a.nii.gz", scan) }

  /// A volume whose segmentation takes a second or so.
  private func longForm() throws -> RequestForm {
    let folder = try TemporaryFolder()
    let image = try Image(contentsOf: Tiny.data.appendingPathComponent("Site-A/Case00.nii.gz"))
    var geometry = image.geometry
    geometry.size.z *= 100
    try Image(voxels: Array(repeatElement(image.voxels, count: 100).joined()), geometry: geometry)
      .write(to: folder.file("long.nii"))
    return try RequestForm().with("file", named: "long.nii", Data(contentsOf: folder.file("long.nii")))
  }

  /// Waits for a number of segmentations that wait or run; not forever, since it may have passed unseen.
  private func wait(in server: RunningServer, until isReached: (Int) -> Bool) throws {
    for _ in 0..<500 {
      let text = try server.answer("GET", "/metrics").text
      let count = text.firstMatch(of: /\ndualnorm_segmentations_waiting (\d+)\n/).flatMap { Int($0.1) }
      if isReached(try #require(count)) { return }
      usleep(10_000)
    }
  }

  /// A request whose body comes in gets its answer, and one that arrives meanwhile none that hangs.
  @Test(.endsSomeTime, arguments: [SIGTERM, SIGINT]) func theRequestAtHandIsAnswered(signal: Int32) throws {
    let server = try RunningServer([Tiny.run.path])
    let (segmenting, waiting, uploading) = (
      try HTTPConnection(to: server.port), try HTTPConnection(to: server.port), try HTTPConnection(to: server.port)
    )
    let body = form.body
    uploading.send("PUT", "/session/", Data(body.prefix(1000)), RequestForm.type, length: body.count)
    try segmenting.send("POST", "/infer/run?output=json", longForm().body, RequestForm.type)
    try wait(in: server) { $0 == 1 }
    waiting.send("POST", "/infer/run?output=json", body, RequestForm.type)
    try wait(in: server) { $0 != 1 }
    server.command.send(signal)
    usleep(500_000)
    uploading.send(Data(body.dropFirst(1000)))
    #expect(try segmenting.answer().status == 200)
    // One that waits may have had its turn before the signal on a slow machine.
    let second = try waiting.answer()
    #expect(second.status == 200 || second.status == 503 && second.headers["retry-after"] != nil, "\(second.status)")
    #expect(try uploading.answer().status == 200)
    let end = try server.command.finish()
    #expect(
      end.status == 0 && end.output == "" && end.errors.hasSuffix("Ended; no request was cut off.\n"), "\(end.errors)")
    #expect(contents(of: server.temporary.url) == [], "no upload stays")
    #expect(try Loopback.connection(to: server.port) == nil)
  }

  @Test func theNextServerRemovesWhatAKilledOneLeft() throws {
    let killed = try RunningServer([Tiny.run.path])
    #expect(try killed.answer("PUT", "/session/", RequestForm().with("files", named: "a.nii.gz", scan)).status == 200)
    let left = try #require(contents(of: killed.temporary.url).first)
    #expect(
      try FileManager.default.attributesOfItem(atPath: killed.temporary.file(left).path)[.posixPermissions] as? Int
        == 0o700)
    killed.command.kill()
    _ = try killed.command.finish()
    #expect(contents(of: killed.temporary.url).contains { $0.hasSuffix(".nii.gz") })
    let next = try RunningServer([Tiny.run.path], temporary: killed.temporary)
    #expect(!contents(of: killed.temporary.url).contains { $0.hasPrefix(left) || $0.hasSuffix(".nii.gz") })
    // Two servers side by side leave each other alone.
    let session = try next.answer("PUT", "/session/", RequestForm().with("files", named: "a.nii.gz", scan))
    let third = try RunningServer([Tiny.run.path], temporary: killed.temporary)
    #expect(try third.end().status == 0)
    #expect(try next.answer("GET", "/session/\(session.json["session_id"] as? String ?? "")?image=true").body == scan)
    #expect(try next.end().status == 0 && contents(of: next.temporary.url) == [])
  }

  @Test func aPortThatIsTaken() throws {
    let (socket, port) = try Loopback.listener()
    defer { close(socket) }
    let result = try RunningCommand(["serve", Tiny.run.path, "--listen", "127.0.0.1:\(port)"]).finish()
    #expect(result.status == 1 && result.output == "")
    #expect(
      messagesBesideWarnings(result.errors)
        == "Error: --listen 127.0.0.1:\(port): cannot be listened on (Address already in use); end the program that does, or choose another port.\n"
    )
    let other = try RunningCommand(["serve", Tiny.run.path, "--listen", "127.255.255.254.example:0"]).finish()
    #expect(other.status == 1 && messagesBesideWarnings(other.errors).hasPrefix("Error: --listen "), "\(other.errors)")
    #expect(messagesBesideWarnings(other.errors).split(separator: "\n").count == 1)
  }

  @Test func modelsAndFoldersThatCannotBeServed() throws {
    let folder = try TemporaryFolder()
    for (arguments, part) in [
      ([folder.path], folder.path), ([try Tiny.run.path, "--data", folder.file("none").path], "none"),
      ([folder.file("none").path], "none"),
    ] {
      let result = try dualnorm(["serve", "--listen", "127.0.0.1:0"] + arguments)
      let sentence = messagesBesideWarnings(result.errors)
      #expect(result.status == 1 && sentence.hasPrefix("Error: ") && sentence.contains(part), "\(sentence)")
      #expect(sentence.split(separator: "\n").count == 1)
    }
    try Data("{}".utf8).write(to: folder.file("dataset.json"))
    let result = try dualnorm("serve", Tiny.run.path, "--data", folder.path, "--listen", "127.0.0.1:0")
    #expect(result.status == 1 && result.errors.contains("has a dataset.json, which would have to name every new mask"))
    #expect(try dualnorm("serve").status == 64)
  }
}
