import Foundation

/// TCP sockets of this machine alone.
enum Loopback {
  struct Failed: Error { let code = errno }

  /// A socket that listens on a port that the system chooses.
  static func listener() throws -> (socket: Int32, port: UInt16) {
    let socket = try stream()
    var address = place(0)
    var size = socklen_t(MemoryLayout<sockaddr_in>.size)
    let code = withUnsafeMutablePointer(to: &address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { place in
        bind(socket, place, size) | listen(socket, 16) | getsockname(socket, place, &size)
      }
    }
    guard code == 0 else { throw Failed() }
    return (socket, UInt16(bigEndian: address.sin_port))
  }

  /// A port on which nobody listens.
  static func freePort() throws -> UInt16 {
    let (socket, port) = try listener()
    close(socket)
    return port
  }

  /// A connection to a port; nil where nobody listens.
  static func connection(to port: UInt16) throws -> Int32? {
    let socket = try stream()
    var address = place(port)
    let code = withUnsafeMutablePointer(to: &address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        connect(socket, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
      }
    }
    if code == 0 { return socket }
    close(socket)
    return nil
  }

  private static func stream() throws -> Int32 {
    #if os(Linux)
      let made = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    #else
      let made = socket(AF_INET, SOCK_STREAM, 0)
    #endif
    guard made >= 0 else { throw Failed() }
    // Programs that the tests start must not hold it open.
    _ = fcntl(made, F_SETFD, FD_CLOEXEC)
    return made
  }

  private static func place(_ port: UInt16) -> sockaddr_in {
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = port.bigEndian
    address.sin_addr.s_addr = inet_addr("127.0.0.1")
    return address
  }
}

/// A proxy that passes so many bytes of a server's answers, and then fails.
final class FailingProxy: @unchecked Sendable {
  enum Failure { case cut, silence }

  let port: UInt16
  // `lock` guards `left`.
  private let lock = NSLock()
  private var left: Int
  private let server: UInt16
  private let failure: Failure

  /// - Parameter bytes: the answers' bytes, over all connections.
  init(to server: UInt16, passing bytes: Int, then failure: Failure) throws {
    let (listener, port) = try Loopback.listener()
    (self.server, self.failure, self.port, left) = (server, failure, port, bytes)
    Thread.detachNewThread { [self] in
      while case let client = accept(listener, nil, nil), client >= 0 {
        guard let server = try? Loopback.connection(to: self.server) else { continue }
        Thread.detachNewThread { [self] in pass(client, server) { _ in true } }
        Thread.detachNewThread { [self] in pass(server, client) { self.mayPass($0) } }
      }
    }
  }

  /// Tells whether the proxy has failed.
  var hasFailed: Bool { lock.withLock { left < 0 } }

  private func mayPass(_ bytes: Int) -> Bool {
    lock.withLock {
      left -= bytes
      return left >= 0
    }
  }

  private func pass(_ source: Int32, _ target: Int32, _ mayPass: (Int) -> Bool) {
    var bytes = [UInt8](repeating: 0, count: 256)
    while case let count = read(source, &bytes, bytes.count), count > 0 {
      guard mayPass(count) else {
        if failure == .silence { return }
        break
      }
      guard write(target, bytes, count) == count else { break }
    }
    // Both ends of both directions.
    for socket in [source, target] { shutdown(socket, Int32(SHUT_RDWR)) }
  }
}
