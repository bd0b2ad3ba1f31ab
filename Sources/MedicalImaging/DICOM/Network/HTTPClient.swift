import Basics
import CHTTP
import Foundation

/// The end of a request without an answer.
struct HTTPFailure: Error {
  let outcome: CHTTPOutcome
  /// Words of this machine, never of the server.
  let reason: String
}

/// Requests to one server, one at a time over connections that it keeps.
final class HTTPClient {
  /// The bytes of a POST: their number, and functions that fill a buffer with the next ones and begin anew.
  struct Body {
    let count: Int
    let next: (UnsafeMutableRawBufferPointer) throws -> Int
    let rewind: () throws -> Void
  }

  /// The handlers of a request. An error of one ends the request.
  struct Handlers {
    /// False stops the request.
    let watcher: () -> Bool
    /// Takes status and media type before the first byte of the answer.
    let begin: (_ status: Int, _ type: String) throws -> Void
    let receive: (UnsafeRawBufferPointer) throws -> Void
  }

  private let client: OpaquePointer
  private let credentials: ServerCredentials?
  /// PEM file of the trusted authorities; nil for this machine's.
  private let authorities: URL?
  private let isDirect: Bool
  private let limits: TransferLimits

  /// - Parameter isDirect: whether no proxy that the environment names is asked.
  init(_ credentials: ServerCredentials?, authorities: URL?, isDirect: Bool, _ limits: TransferLimits) throws {
    guard let client = chttp_client_create() else { throw HTTPFailure(outcome: .failed, reason: "out of memory") }
    (self.client, self.credentials, self.isDirect, self.limits) = (client, credentials, isDirect, limits)
    self.authorities = authorities ?? Self.authoritiesOfThisMachine
  }

  deinit { chttp_client_free(client) }

  /// Runs a request to its end.
  ///
  /// - Parameter headers: at least one.
  /// - Throws: an error of a handler, or `HTTPFailure`.
  func run(_ url: String, headers: [String], body: Body? = nil, _ handlers: Handlers) throws {
    let exchange = Exchange(handlers, body)
    var reason = [CChar](repeating: 0, count: 256)
    let texts: [String?] =
      [url, credentials?.user, credentials?.password, credentials?.token, authorities?.path] + headers
    let outcome = withOptionalCStrings(texts) { texts in
      texts[5...].map { $0! }.withUnsafeBufferPointer { headers in
        var request = CHTTPRequest(
          url: texts[0]!, headers: headers.baseAddress!, header_count: headers.count, user: texts[1],
          password: texts[2], token: texts[3], ca_file: texts[4], is_direct: isDirect,
          connecting: Int32(limits.connecting), answering: Int32(limits.answering),
          body_bytes: Int64(body?.count ?? -1), goes_on: { Exchange.at($0).goesOn() },
          begin: { context, status, type in
            let type = String(cString: type)
            return Exchange.at(context).succeeds { try $0.handlers.begin(Int(status), type) }
          },
          receive: { context, bytes, count in
            Exchange.at(context).succeeds {
              try $0.handlers.receive(UnsafeRawBufferPointer(start: bytes, count: count))
            }
          },
          send: { context, bytes, capacity in
            Exchange.at(context).sent(UnsafeMutableRawBufferPointer(start: bytes, count: capacity))
          }, rewind: { Exchange.at($0).succeeds { try $0.body?.rewind() } },
          context: Unmanaged.passUnretained(exchange).toOpaque())
        return withExtendedLifetime(exchange) { chttp_run(client, &request, &reason, reason.count) }
      }
    }
    if let error = exchange.error { throw error }
    guard outcome == .done else {
      let text = reason.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }
      throw HTTPFailure(outcome: outcome, reason: String(decoding: text, as: UTF8.self))
    }
  }

  /// The file in which a Linux distribution keeps the authorities that it trusts; nil where libcurl knows it.
  private static var authoritiesOfThisMachine: URL? {
    [
      "/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/ca-bundle.pem",
      "/etc/ssl/cert.pem",
    ].map { URL(fileURLWithPath: $0) }.first(where: isRegularFile)
  }
}

/// A request that runs, as an object that a pointer can refer to.
private final class Exchange {
  let handlers: HTTPClient.Handlers
  let body: HTTPClient.Body?
  /// The error of a handler, which has ended the request.
  private(set) var error: (any Error)?

  init(_ handlers: HTTPClient.Handlers, _ body: HTTPClient.Body?) { (self.handlers, self.body) = (handlers, body) }

  static func at(_ context: UnsafeMutableRawPointer?) -> Exchange {
    Unmanaged<Exchange>.fromOpaque(context!).takeUnretainedValue()
  }

  func goesOn() -> Bool { handlers.watcher() }

  func succeeds(_ body: (Exchange) throws -> Void) -> Bool {
    do { try body(self) } catch { self.error = error }
    return error == nil
  }

  /// Fills a buffer with the body's next bytes. Returns their number; −1 after an error.
  func sent(_ buffer: UnsafeMutableRawBufferPointer) -> Int {
    do { return try body?.next(buffer) ?? 0 } catch { self.error = error }
    return -1
  }
}

extension ServerCredentials {
  fileprivate var user: String? {
    guard case .password(let user, _) = self else { return nil }
    return user
  }

  fileprivate var password: String? {
    guard case .password(_, let password) = self else { return nil }
    return password
  }

  fileprivate var token: String? {
    guard case .token(let token) = self else { return nil }
    return token
  }
}

private func withOptionalCStrings<Result>(_ texts: [String?], _ body: ([UnsafePointer<CChar>?]) -> Result) -> Result {
  let copies = texts.map { $0.map { strdup($0)! } }
  defer { for copy in copies { free(copy) } }
  return body(copies.map { UnsafePointer($0) })
}
