import Foundation

/// An HTTP server of the tests that answers each request as it is told, well or not.
final class ScriptedServer: @unchecked Sendable {
  /// The bytes of an answer, and what comes then.
  struct Answer: Sendable {
    enum End: Sendable {
      case close, silence
      case repetition(Data)
      /// The connection stays open for the next request, which gets no answer.
      case deafness
    }

    var bytes: Data
    var end = End.close

    init(bytes: Data, then end: End = .close) { (self.bytes, self.end) = (bytes, end) }

    init(_ status: Int, _ type: String, _ body: Data = Data(), headers: String = "", then end: End = .close) {
      // Like Orthanc, no length: the answer ends with the connection.
      let head = "HTTP/1.1 \(status) Told\r\nContent-Type: \(type)\r\nConnection: close\r\n\(headers)\r\n"
      self.init(bytes: Data(head.utf8) + body, then: end)
    }

    static func json(_ text: String, status: Int = 200) -> Answer {
      Answer(status, "application/dicom+json", Data(text.utf8))
    }
  }

  struct Request: Sendable {
    let head: String
    let body: Data

    func names(_ word: String) -> Bool { head.prefix { $0 != "\r\n" }.contains(word) }
  }

  let port: UInt16
  // `lock` guards what follows.
  private let lock = NSLock()
  private var heard: [Request] = []

  init(_ answer: @escaping @Sendable (Request) -> Answer) throws {
    let (listener, port) = try Loopback.listener()
    self.port = port
    Thread.detachNewThread { [self] in
      while case let client = accept(listener, nil, nil), client >= 0 {
        Thread.detachNewThread { [self] in
          guard let request = Self.request(client) else {
            close(client)
            return
          }
          lock.withLock { heard.append(request) }
          Self.send(answer(request), to: client)
        }
      }
    }
  }

  /// The requests so far.
  var requests: [Request] { lock.withLock { heard } }

  private static func request(_ client: Int32) -> Request? {
    var (bytes, buffer) = (Data(), [UInt8](repeating: 0, count: 1 << 16))
    func more() -> Bool {
      let count = read(client, &buffer, buffer.count)
      if count > 0 { bytes += buffer[..<count] }
      return count > 0
    }
    while true {
      if let end = bytes.range(of: Data("\r\n\r\n".utf8)) {
        let head = String(decoding: bytes[..<end.lowerBound], as: UTF8.self)
        let length = head.firstMatch(of: /Content-Length: ([0-9]+)/).flatMap { Int($0.1) } ?? 0
        while bytes.count - end.upperBound < length { guard more() else { return nil } }
        return Request(head: head, body: bytes[end.upperBound...])
      }
      guard more() else { return nil }
    }
  }

  #if os(Linux)
    private static let withoutSignal = Int32(MSG_NOSIGNAL)
  #else
    private static let withoutSignal: Int32 = 0
  #endif

  private static func send(_ answer: Answer, to client: Int32) {
    func isSent(_ bytes: Data) -> Bool {
      var rest = [UInt8](bytes)[...]
      while !rest.isEmpty {
        let count = rest.withUnsafeBytes { Foundation.send(client, $0.baseAddress!, $0.count, Self.withoutSignal) }
        guard count > 0 else { return false }
        rest = rest.dropFirst(count)
      }
      return true
    }
    let isWhole = isSent(answer.bytes)
    switch answer.end {
    case .close: break
    case .silence: return
    case .deafness:
      _ = request(client)
      close(client)
      return
    case .repetition(let bytes): while isWhole, isSent(bytes) {}
    }
    shutdown(client, Int32(SHUT_WR))
    // A close before the other end has read all could throw the rest away.
    var buffer = [UInt8](repeating: 0, count: 1 << 10)
    while read(client, &buffer, buffer.count) > 0 {}
    close(client)
  }
}
