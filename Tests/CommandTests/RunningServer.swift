import Foundation
import Testing

/// A server of models in a process of its own, which ends with this object.
final class RunningServer {
  let command: RunningCommand
  let port: UInt16
  /// The folder of the server's temporary files.
  let temporary: TemporaryFolder

  /// - Parameter arguments: the words after `serve`.
  convenience init(_ arguments: [String], temporary: TemporaryFolder? = nil) throws {
    let temporary = try temporary ?? TemporaryFolder()
    try self.init(
      RunningCommand(
        ["serve", "--listen", "127.0.0.1:0", "--threads", "1"] + arguments, environment: ["TMPDIR": temporary.path]),
      temporary)
  }

  /// A server of one model, `model`, with limits that a test can wait for.
  convenience init(withShortLimits run: URL) throws {
    let temporary = try TemporaryFolder()
    try self.init(
      RunningCommand(
        ["short-limits", run.path], environment: ["TMPDIR": temporary.path], program: "command-server"), temporary)
  }

  private init(_ command: RunningCommand, _ temporary: TemporaryFolder) throws {
    (self.command, self.temporary) = (command, temporary)
    var port: UInt16?
    while port == nil {
      let said = try command.errorsSoFar()
      guard command.isRunning else { throw Ended(errors: said) }
      port = said.firstMatch(of: /on http:\/\/127\.0\.0\.1:(\d+) for/).flatMap { UInt16($0.1) }
      usleep(5000)
    }
    self.port = port!
  }

  deinit { if command.isRunning { command.kill() } }

  struct Ended: Error { let errors: String }

  /// Answers to requests by a new connection each.
  func answer(
    _ method: String, _ path: String, _ body: Data = Data(), _ headers: [String: String] = [:]
  ) throws -> HTTPConnection.Answer {
    let connection = try HTTPConnection(to: port)
    connection.send(method, path, body, headers)
    return try connection.answer(toHead: method == "HEAD")
  }

  func answer(
    _ method: String, _ path: String, _ form: RequestForm, _ headers: [String: String] = [:]
  ) throws -> HTTPConnection.Answer {
    try answer(method, path, form.body, RequestForm.type.merging(headers) { $1 })
  }

  /// The mask that `infer` answers.
  func mask(
    _ model: String, _ query: String, _ form: RequestForm, _ location: SourceLocation = #_sourceLocation
  ) throws -> Data {
    let found = try answer("POST", "/infer/\(model)?\(query)&output=image", form)
    #expect(found.status == 200, "\(found.detail)", sourceLocation: location)
    return found.body
  }

  /// Ends the server by SIGTERM; returns its exit code and messages.
  func end() throws -> (status: Int32, output: String, errors: String) {
    command.send(SIGTERM)
    return try command.finish()
  }

  /// Uploads and results that are there.
  var kept: [String] { contents(of: temporary.url).filter { $0.contains("/") } }
}

/// The masks of `predict`.
enum Predicted {
  static func mask(
    _ run: URL, _ input: URL, named name: String = "mask.nii.gz", _ options: String...
  ) throws -> Data {
    let folder = try TemporaryFolder()
    let output = folder.file(name)
    let result = try dualnorm(
      ["predict", "--model", run.path, "--input", input.path, "--output", output.path, "--threads", "1", "--quiet"]
        + options)
    #expect(result.status == 0, "\(result.errors)")
    let isFirst = options.contains("--first-pass")
    return try Data(
      contentsOf: isFirst ? folder.file(name.replacingOccurrences(of: "mask", with: "mask_first")) : output)
  }
}
