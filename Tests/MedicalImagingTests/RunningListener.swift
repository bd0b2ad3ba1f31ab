import Basics
import Foundation

@testable import MedicalImaging

/// A listener on a free port of this machine, with the title WATCH, until it goes.
final class RunningListener: @unchecked Sendable {
  let folder: URL
  let port: Int
  // `condition` guards the rest.
  private let condition = NSCondition()
  private var isWanted = true
  private var isDone = false
  private var heard: [StorageListener.Event] = []
  private var taken: [(image: StorageListener.Image, data: Data)] = []
  private var mostTogether = 0
  private var together = 0

  /// - Parameter answer: is called with each image that came.
  init(
    _ change: (inout StorageListener.Options) -> Void = { _ in },
    answer: @escaping @Sendable (StorageListener.Image) -> StorageListener.Answer = { _ in .stored }
  ) throws {
    folder = FileManager.default.temporaryDirectory.appendingPathComponent("listener-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    var options = StorageListener.Options(title: "WATCH", host: "127.0.0.1", port: 0)
    change(&options)
    let listener = try StorageListener(options, incoming: folder)
    port = listener.port
    Thread.detachNewThread { [self] in
      listener.run(
        goesOn: { self.condition.withLock { self.isWanted } },
        event: { event in self.change { self.heard.append(event) } },
        receive: { image in
          let data = (try? Data(contentsOf: image.file)) ?? Data()
          self.change {
            self.together += 1
            self.mostTogether = max(self.mostTogether, self.together)
          }
          let result = answer(image)
          self.change {
            self.together -= 1
            self.taken.append((image, data))
          }
          return result
        })
      self.change { self.isDone = true }
    }
  }

  deinit { try? FileManager.default.removeItem(at: folder) }

  private func change(_ body: () -> Void) {
    condition.withLock {
      body()
      condition.broadcast()
    }
  }

  var events: [StorageListener.Event] { condition.withLock { heard } }
  var images: [(image: StorageListener.Image, data: Data)] { condition.withLock { taken } }
  /// The most handlers that ran at once.
  var mostHandlers: Int { condition.withLock { mostTogether } }
  /// The files in the folder of incoming ones.
  var files: [String] { (try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? ["?"] }

  /// Waits until something holds, at most ten seconds. Returns whether it does.
  func waits(until holds: ([StorageListener.Event]) -> Bool) -> Bool {
    let end = Date().addingTimeInterval(10)
    return condition.withLock {
      while !holds(heard) { guard condition.wait(until: end) else { return false } }
      return true
    }
  }

  /// Tells the listener to stop. Returns the seconds that it took, at most ten.
  @discardableResult func stop() -> Double {
    let start = Date()
    condition.withLock {
      isWanted = false
      while !isDone, condition.wait(until: start.addingTimeInterval(10)) {}
    }
    return Date().timeIntervalSince(start)
  }

  /// Sends files by this program's own sender.
  func send(_ files: [URL], title: String = "WATCH", ownTitle: String = "SENDER") throws {
    try DICOMServer(DICOMAddress("dicom://\(title)@127.0.0.1:\(port)"), ownTitle: ownTitle).store(files) { _, _ in true
    }
  }

  /// The refusal of a file that cannot be sent.
  func refusal(of file: URL, title: String = "WATCH", ownTitle: String = "SENDER") -> String {
    do {
      try send([file], title: title, ownTitle: ownTitle)
      return "sent"
    } catch { return (error as? Refusal)?.found ?? "\(error)" }
  }
}

/// A caller who sends bytes.
final class RawCaller {
  private let socket: Int32

  init(_ port: Int) {
    #if os(Linux)
      socket = Foundation.socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    #else
      socket = Foundation.socket(AF_INET, SOCK_STREAM, 0)
    #endif
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = UInt16(port).bigEndian
    address.sin_addr.s_addr = inet_addr("127.0.0.1")
    let code = withUnsafePointer(to: &address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        connect(socket, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
      }
    }
    precondition(code == 0, "nobody listens")
    #if !os(Linux)
      var isSet: Int32 = 1
      setsockopt(socket, SOL_SOCKET, SO_NOSIGPIPE, &isSet, socklen_t(MemoryLayout<Int32>.size))
    #endif
  }

  deinit { close(socket) }

  func hangUp() { shutdown(socket, Int32(SHUT_RDWR)) }

  /// Sends, unless the other side has ended.
  func send(_ bytes: [UInt8]) {
    #if os(Linux)
      let flags = Int32(MSG_NOSIGNAL)
    #else
      let flags: Int32 = 0
    #endif
    _ = Foundation.send(socket, bytes, bytes.count, flags)
  }

  /// The bytes of the next PDU; empty at the end.
  func receive() -> [UInt8] {
    let head = read(6)
    guard head.count == 6 else { return [] }
    return head + read(head[2...].reduce(0) { $0 << 8 | Int($1) })
  }

  private func read(_ count: Int) -> [UInt8] {
    var result: [UInt8] = []
    while result.count < count {
      var buffer = [UInt8](repeating: 0, count: count - result.count)
      let got = recv(socket, &buffer, buffer.count, 0)
      guard got > 0 else { break }
      result += buffer[..<got]
    }
    return result
  }
}

/// Messages of DICOM's protocol (PS3.7 and PS3.8), byte by byte.
enum RawMessage {
  static let image = "1.2.840.10008.5.1.4.1.1.4"
  private static let explicit = "1.2.840.10008.1.2.1"

  static func pdu(_ type: UInt8, _ content: [UInt8]) -> [UInt8] { [type, 0] + big(content.count, 4) + content }

  /// A request with one presentation context, of number 1.
  static func request(called: String = "WATCH", calling: String = "RAW", service: String = image) -> [UInt8] {
    let context: [UInt8] = [1, 0, 0, 0] + item(0x30, Array(service.utf8)) + item(0x40, Array(explicit.utf8))
    let titles = [called, calling].flatMap { Array($0.padding(toLength: 16, withPad: " ", startingAt: 0).utf8) }
    let content =
      [0, 1, 0, 0] + titles + [UInt8](repeating: 0, count: 32) + item(0x10, Array("1.2.840.10008.3.1.1.1".utf8))
      + item(0x20, context) + item(0x50, item(0x51, big(16384, 4)))
    return pdu(1, content)
  }

  /// C-STORE-RQ.
  static func store(_ service: String = image, instance: String = "1.2.3") -> [UInt8] {
    let elements =
      element(0x0002, text(service)) + element(0x0100, [1, 0]) + element(0x0110, [7, 0])
      + element(0x0700, [0, 0]) + element(0x0800, [1, 0]) + element(0x1000, text(instance))
    return value(3, element(0, [UInt8](big(elements.count, 4).reversed())) + elements)
  }

  /// The begin of a command with sequences within sequences.
  static func nested(_ depth: Int) -> [UInt8] {
    let level: [UInt8] = [8, 0, 0x40, 0x11, 255, 255, 255, 255, 0xFE, 0xFF, 0, 0xE0, 255, 255, 255, 255]
    return (0..<depth).flatMap { _ in level }
  }

  /// The status of an answer; nil without one.
  static func status(in pdu: [UInt8]) -> Int? {
    let element: [UInt8] = [0, 0, 0, 9, 2, 0, 0, 0]
    return Data(pdu).range(of: Data(element)).map { Int(pdu[$0.upperBound]) | Int(pdu[$0.upperBound + 1]) << 8 }
  }

  /// P-DATA-TF with one value. `flags`: 1 for a command, 2 for the last.
  static func value(_ flags: UInt8, _ bytes: [UInt8]) -> [UInt8] {
    pdu(4, big(bytes.count + 2, 4) + [1, flags] + bytes)
  }

  private static func element(_ number: Int, _ value: [UInt8]) -> [UInt8] {
    [0, 0, UInt8(number & 255), UInt8(number >> 8)] + big(value.count, 4).reversed() + value
  }

  private static func text(_ text: String) -> [UInt8] { Array(text.utf8) + (text.utf8.count % 2 == 1 ? [0] : []) }

  private static func item(_ type: UInt8, _ content: [UInt8]) -> [UInt8] {
    [type, 0] + big(content.count, 2) + content
  }

  private static func big(_ value: Int, _ count: Int) -> [UInt8] {
    (0..<count).reversed().map { UInt8(truncatingIfNeeded: value >> (8 * $0)) }
  }
}
