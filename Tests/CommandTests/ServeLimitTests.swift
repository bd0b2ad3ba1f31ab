import Foundation
import Testing

/// Bounds of time and number, of a server whose bounds a test can wait for: 3 s for a body, 5 s of silence, 6 s for what
/// nobody asks for, one upload at once, 3 files, 1000 bytes a field.
@Suite struct ServeLimitTests {
  private let server: RunningServer
  private let scan: Data

  init() throws {
    server = try RunningServer(withShortLimits: Tiny.run)
    scan = try Data(contentsOf: Tiny.data.appendingPathComponent("Site-A/Case00.nii.gz"))
  }

  @Test(.endsSomeTime) func slowAndSilentClients() throws {
    let body = RequestForm().with("file", named: "a.nii.gz", scan).body
    let slow = try HTTPConnection(to: server.port)
    slow.send("PUT", "/session/", Data(body.prefix(200)), RequestForm.type, length: body.count)
    // One upload at once: others are told to come again.
    while server.kept == [] { usleep(10_000) }
    let other = try server.answer("PUT", "/session/", RequestForm().with("file", named: "a.nii.gz", scan))
    #expect(other.status == 503 && other.headers["retry-after"] == "5")
    #expect(try server.answer("GET", "/health").status == 200)
    for byte in body.dropFirst(200).prefix(100) where slow.send(Data([byte])) { usleep(100_000) }
    let answer = try slow.answer()
    #expect(answer.status == 408 && answer.detail == "The request did not arrive within 3 s.")
    let silent = try HTTPConnection(to: server.port)
    silent.send("POST", "/infer/model", Data(body.prefix(200)), RequestForm.type, length: body.count)
    if let answer = try? silent.answer() { #expect(answer.status >= 400) } else { #expect(silent.isClosed()) }
    let headless = try HTTPConnection(to: server.port)
    headless.send(Data("GET /info/ HTTP/1.1\r\nHost:".utf8))
    #expect(headless.isClosed())
    // The places are free again, and nothing stays.
    for _ in 0..<200 where server.kept != [] { usleep(20_000) }
    #expect(server.kept == [])
    #expect(try server.answer("PUT", "/session/", RequestForm().with("file", named: "a.nii.gz", scan)).status == 200)
  }

  @Test(.endsSomeTime) func whatNobodyAsksForGoes() throws {
    let session = try server.answer("PUT", "/session/", RequestForm().with("file", named: "a.nii.gz", scan))
    let identifier = try #require(session.json["session_id"] as? String)
    // Asking keeps it.
    for _ in 0..<5 {
      usleep(1_500_000)
      #expect(try server.answer("GET", "/session/\(identifier)").status == 200)
    }
    // No request is needed for it to go.
    for _ in 0..<1500 where server.kept.contains(where: { $0.hasSuffix(".nii.gz") }) { usleep(20_000) }
    #expect(!server.kept.contains { $0.hasSuffix(".nii.gz") })
    #expect(try server.answer("GET", "/session/\(identifier)").status == 404)
  }

  @Test func tooManyPartsAndTooLongFields() throws {
    var form = RequestForm()
    for number in 0..<4 { form = form.with("files", named: "\(number).nii.gz", scan) }
    let many = try server.answer("PUT", "/session/", form)
    #expect(many.status == 400 && many.detail == "The form has more than 3 parts; send fewer at once.")
    let long = try server.answer("POST", "/infer/model", RequestForm(["params": String(repeating: " ", count: 1001)]))
    #expect(long.status == 400 && long.detail == "A field of the form is longer than 1000 bytes; send it as a file.")
    #expect(server.kept == [])
  }

  #if os(Linux)
    @Test func theSoftLimitOfOpenFilesIsRaised() throws {
      let command = try RunningCommand(
        ["serve", Tiny.run.path, "--listen", "127.0.0.1:0", "--threads", "1"],
        limits: "ulimit -S -n 128; ulimit -H -n 4096")
      defer { command.kill() }
      while try !command.errorsSoFar().contains("Serving "), command.isRunning { usleep(5000) }
      let limits = try String(contentsOfFile: "/proc/\(command.processIdentifier)/limits", encoding: .utf8)
      #expect(limits.contains(/Max open files +4096 +4096/))
    }
  #endif
}
