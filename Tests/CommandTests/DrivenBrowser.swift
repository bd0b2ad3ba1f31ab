import Foundation
import Testing

/// Chromium without a window, which a test drives by the DevTools protocol. It ends with this object.
///
/// The protocol comes through file descriptors, so that no port and no library for WebSockets is needed.
final class DrivenBrowser {
  struct Failed: Error, CustomStringConvertible { let description: String }

  private let process = Process()
  /// Both directions: messages of JSON, each ended by a zero byte.
  private let socket: Int32
  private var received = Data()
  private var lastNumber = 0
  private var session: String?
  /// What the page did wrong: errors of scripts and of its console, requests that failed, and violated policies.
  private(set) var complaints: [String] = []

  /// Opens a page without contents.
  init(in folder: TemporaryFolder) throws {
    var ends: [Int32] = [-1, -1]
    guard socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0, &ends) == 0 else {
      throw Failed(description: "no sockets")
    }
    for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
    socket = ends[0]
    let other = FileHandle(fileDescriptor: ends[1], closeOnDealloc: true)
    process.executableURL = URL(fileURLWithPath: "/bin/sh")
    // Chromium reads descriptor 3 and writes 4.
    process.arguments = [
      "-c", #"exec "$0" "$@" 3<&0 4>&1 </dev/null >/dev/null 2>&1"#, "/usr/bin/chromium", "--headless=new",
      "--no-sandbox",
      "--disable-gpu", "--remote-debugging-pipe", "--user-data-dir=\(folder.file("chromium").path)", "about:blank",
    ]
    (process.standardInput, process.standardOutput) = (other, other)
    try process.run()
    let target = try #require(try send("Target.createTarget", ["url": "about:blank"])["targetId"] as? String)
    let attached = try send("Target.attachToTarget", ["targetId": target, "flatten": true])
    session = attached["sessionId"] as? String
    for domain in ["Page", "Runtime", "Log", "DOM"] { _ = try send("\(domain).enable") }
  }

  deinit {
    _ = try? send("Browser.close")
    close(socket)
    // Nothing of it is worth a wait: its folder goes anyway.
    for _ in 0..<100 where process.isRunning { Thread.sleep(forTimeInterval: 0.1) }
    if process.isRunning { kill(process.processIdentifier, SIGKILL) }
    process.waitUntilExit()
  }

  func open(_ address: String) throws { _ = try send("Page.navigate", ["url": address]) }

  /// The value of an expression of JavaScript, or of the promise that it is.
  @discardableResult func evaluate<Value>(_ expression: String, as type: Value.Type = Any?.self) throws -> Value {
    let answer = try send(
      "Runtime.evaluate", ["expression": expression, "awaitPromise": true, "returnByValue": true])
    if let fault = answer["exceptionDetails"] { throw Failed(description: "\(expression): \(fault)") }
    let value = (answer["result"] as? [String: Any])?["value"]
    guard let value = value as? Value else {
      throw Failed(description: "\(expression) is \(value ?? "undefined"), not \(Value.self)")
    }
    return value
  }

  /// Waits until an expression is true.
  func wait(until expression: String, seconds: Double = 300) throws {
    let end = Date().addingTimeInterval(seconds)
    while Date() < end {
      // The next page may be loading.
      if (try? evaluate("Boolean(\(expression))", as: Bool.self)) == true { return }
      Thread.sleep(forTimeInterval: 0.05)
    }
    let text = try evaluate("document.body.innerText", as: String.self)
    throw Failed(description: "never true: \(expression); the page says: \(text.prefix(500)); \(complaints)")
  }

  func click(_ selector: String) throws { try evaluate("document.querySelector(`\(selector)`).click()") }

  func text(of selector: String) throws -> String {
    try evaluate("document.querySelector(`\(selector)`).textContent", as: String.self)
  }

  /// Chooses files in an input, as a person does in the browser's dialog.
  func choose(_ files: [URL], in selector: String) throws {
    let root = try #require(try send("DOM.getDocument")["root"] as? [String: Any])
    let found = try send("DOM.querySelector", ["nodeId": root["nodeId"]!, "selector": selector])
    _ = try send("DOM.setFileInputFiles", ["nodeId": found["nodeId"]!, "files": files.map(\.path)])
  }

  /// Presses a key that types no text, such as `ArrowDown`.
  func press(_ key: String) throws {
    for type in ["rawKeyDown", "keyUp"] {
      _ = try send("Input.dispatchKeyEvent", ["type": type, "key": key, "code": key])
    }
  }

  // MARK: Messages

  /// The result of a command.
  private func send(_ method: String, _ parameters: [String: Any] = [:]) throws -> [String: Any] {
    lastNumber += 1
    var message: [String: Any] = ["id": lastNumber, "method": method, "params": parameters]
    message["sessionId"] = session
    try write(JSONSerialization.data(withJSONObject: message) + [0])
    while true {
      let answer = try receive()
      guard answer["id"] as? Int == lastNumber else {
        note(answer)
        continue
      }
      if let error = answer["error"] { throw Failed(description: "\(method): \(error)") }
      return answer["result"] as? [String: Any] ?? [:]
    }
  }

  private func note(_ event: [String: Any]) {
    let parameters = event["params"] as? [String: Any] ?? [:]
    switch event["method"] as? String {
    case "Runtime.exceptionThrown": complaints.append("exception: \(parameters["exceptionDetails"] ?? "")")
    case "Runtime.consoleAPICalled" where ["error", "warning", "assert"].contains(parameters["type"] as? String):
      complaints.append("console: \(parameters["args"] ?? "")")
    case "Log.entryAdded":
      let entry = parameters["entry"] as? [String: Any] ?? [:]
      guard ["error", "warning"].contains(entry["level"] as? String) else { break }
      complaints.append("log: \(entry["text"] ?? "") \(entry["url"] ?? "")")
    default: break
    }
  }

  private func write(_ data: Data) throws {
    var rest = data
    while !rest.isEmpty {
      // A browser that has ended must not end the tests.
      let count = rest.withUnsafeBytes { Foundation.send(socket, $0.baseAddress!, $0.count, Int32(MSG_NOSIGNAL)) }
      guard count > 0 else { throw Failed(description: "the browser has ended") }
      rest = Data(rest.dropFirst(count))
    }
  }

  private func receive() throws -> [String: Any] {
    while true {
      if let end = received.firstIndex(of: 0) {
        let message = received[received.startIndex..<end]
        received = Data(received[(end + 1)...])
        return try JSONSerialization.jsonObject(with: message) as? [String: Any] ?? [:]
      }
      var wait = pollfd(fd: socket, events: Int16(POLLIN), revents: 0)
      guard poll(&wait, 1, 120_000) > 0 else { throw Failed(description: "the browser is silent") }
      var bytes = [UInt8](repeating: 0, count: 1 << 16)
      let count = read(socket, &bytes, bytes.count)
      guard count > 0 else { throw Failed(description: "the browser has ended") }
      received += bytes[..<count]
    }
  }
}
