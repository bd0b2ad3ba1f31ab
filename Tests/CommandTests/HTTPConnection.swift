import Foundation
import Testing

/// A connection to a server on this machine that sends any bytes, also those that no library would send.
final class HTTPConnection {
  struct Answer {
    let status: Int
    /// By names in lower case.
    let headers: [String: String]
    let body: Data

    var text: String { String(decoding: body, as: UTF8.self) }
    var json: [String: Any] { (try? JSONSerialization.jsonObject(with: body) as? [String: Any]) ?? [:] }
    /// The sentence of an error.
    var detail: String { json["detail"] as? String ?? text }
    /// The parts of a form by their names.
    var form: [String: Data] {
      guard let boundary = headers["content-type"]?.split(separator: "boundary=").last else { return [:] }
      var parts: [String: Data] = [:]
      for part in body.split(at: Data("--\(boundary)".utf8)) {
        guard let end = part.range(of: Data("\r\n\r\n".utf8)) else { continue }
        let head = String(decoding: part[..<end.lowerBound], as: UTF8.self)
        guard let name = head.firstMatch(of: /name="(\w+)"/)?.1 else { continue }
        parts[String(name)] = Data(part[end.upperBound...].dropLast(2))
      }
      return parts
    }
  }

  /// The server closed the connection, or did not answer in time.
  struct NoAnswer: Error { let received: String }

  private let socket: Int32
  private var received = Data()

  /// - Parameter seconds: how long to wait for bytes at most.
  init(to port: UInt16, seconds: Int = 60) throws {
    socket = try #require(try Loopback.connection(to: port), "nobody listens")
    var limit = timeval(tv_sec: seconds, tv_usec: 0)
    for option in [SO_RCVTIMEO, SO_SNDTIMEO] {
      setsockopt(socket, SOL_SOCKET, option, &limit, socklen_t(MemoryLayout<timeval>.size))
    }
    #if !os(Linux)
      var yes: Int32 = 1
      setsockopt(socket, SOL_SOCKET, SO_NOSIGPIPE, &yes, 4)
    #endif
  }

  deinit { close(socket) }

  /// Sends bytes; returns false once the server takes no more.
  @discardableResult func send(_ bytes: Data) -> Bool {
    #if os(Linux)
      let flags = Int32(MSG_NOSIGNAL)
    #else
      let flags: Int32 = 0
    #endif
    return bytes.withUnsafeBytes { buffer in
      var place = 0
      while place < buffer.count {
        let count = Foundation.send(socket, buffer.baseAddress! + place, buffer.count - place, flags)
        guard count > 0 else { return false }
        place += count
      }
      return true
    }
  }

  /// Sends a request with its length.
  ///
  /// - Parameter length: the length that the header names, if not the body's.
  func send(
    _ method: String, _ path: String, _ body: Data = Data(), _ headers: [String: String] = [:], length: Int? = nil
  ) {
    let lines = ["Host": "127.0.0.1", "Content-Length": "\(length ?? body.count)"].merging(headers) { $1 }
    let head = "\(method) \(path) HTTP/1.1\r\n" + lines.map { "\($0): \($1)\r\n" }.joined() + "\r\n"
    send(Data(head.utf8) + body)
  }

  /// Ends the sending, but not the receiving.
  func endSending() { shutdown(socket, Int32(SHUT_WR)) }

  /// Reads an answer, which must name its length.
  func answer(toHead: Bool = false) throws -> Answer {
    let blank = Data("\r\n\r\n".utf8)
    while received.range(of: blank) == nil { try receive() }
    let end = received.range(of: blank)!
    let lines = String(decoding: received[..<end.lowerBound], as: UTF8.self).split(separator: "\r\n")
    let fields = lines.dropFirst().map {
      $0.split(separator: ":", maxSplits: 1).map { $0.trimmingCharacters(in: .whitespaces) }
    }
    let headers = Dictionary(fields.map { ($0[0].lowercased(), $0[1]) }) { "\($0), \($1)" }
    received.removeSubrange(..<end.upperBound)
    let status = try #require(lines[0].split(separator: " ").dropFirst().first.flatMap { Int($0) })
    // MONAI Label's client and 3D Slicer's read no chunks.
    #expect(headers["transfer-encoding"] == nil)
    let count = toHead || status == 204 ? 0 : try #require(headers["content-length"].flatMap { Int($0) })
    while received.count < count { try receive() }
    let body = Data(received.prefix(count))
    received = Data(received.dropFirst(count))
    return Answer(status: status, headers: headers, body: body)
  }

  /// Tells whether the server closes the connection without more bytes.
  func isClosed() -> Bool {
    var byte: UInt8 = 0
    return received.isEmpty && (recv(socket, &byte, 1, 0) == 0 || errno == ECONNRESET)
  }

  private func receive() throws {
    var bytes = [UInt8](repeating: 0, count: 1 << 16)
    let count = recv(socket, &bytes, bytes.count, 0)
    guard count > 0 else { throw NoAnswer(received: String(decoding: received, as: UTF8.self)) }
    received += bytes[..<count]
  }
}

/// A body of `multipart/form-data`.
struct RequestForm {
  static let boundary = "a boundary: of (these) tests"
  static let type = ["Content-Type": "multipart/form-data; boundary=\"\(boundary)\""]
  private(set) var open = Data()

  init(_ fields: KeyValuePairs<String, String> = [:]) {
    for (name, value) in fields { add("name=\"\(name)\"", Data(value.utf8)) }
  }

  mutating func add(_ parameters: String, _ data: Data) {
    open += Data("--\(Self.boundary)\r\nContent-Disposition: form-data; \(parameters)\r\n\r\n".utf8) + data
    open += Data("\r\n".utf8)
  }

  func with(_ field: String, named name: String, _ data: Data) -> RequestForm {
    var form = self
    form.add("name=\"\(field)\"; filename=\"\(name)\"", data)
    return form
  }

  var body: Data { open + Data("--\(Self.boundary)--\r\n".utf8) }
}

extension Data {
  /// The stretches between the places of a separator.
  fileprivate func split(at separator: Data) -> [Data] {
    var (parts, rest) = ([Data](), self)
    while let place = rest.range(of: separator) {
      parts.append(Data(rest[..<place.lowerBound]))
      rest = Data(rest[place.upperBound...])
    }
    return parts + [rest]
  }
}
