import Basics
import Foundation
import HTTPTypes
import Hummingbird
import NIOCore

/// The context of a request, with its connection.
struct ServedContext: RequestContext {
  var coreContext: CoreRequestContextStorage
  let channel: any Channel

  init(source: ApplicationRequestContextSource) {
    coreContext = .init(source: source)
    channel = source.channel
  }
}

/// Turns errors into answers, adds the headers that every answer has, and counts and logs requests.
///
/// The log has the method, the route's pattern and the status. Paths and queries may hold names of patients.
struct AnswerGuard: RouterMiddleware {
  let settings: ServerSettings
  let metrics: Metrics

  func handle(
    _ request: Request, context: ServedContext, next: (Request, ServedContext) async throws -> Response
  ) async throws -> Response {
    let start = ContinuousClock.now
    var response: Response
    do {
      response = try await next(request, context)
    } catch let error as HTTPError {
      response = ServiceError(error.status, "There is no such address, or not for this method.").response
    } catch {
      var answer = ServiceError.of(error)
      if answer.status == .internalServerError { settings.report("A request failed: \(ServiceError.logged(error))") }
      answer.detail = settings.veiled(answer.detail)
      response = answer.response
    }
    // The rest of a refused request's body is not worth reading.
    if request.hasBody, response.status.kind != .successful { response.headers[.connection] = "close" }
    if response.headers[.connection] == "close", response.status.kind != .successful { close(context.channel) }
    response.body = response.body.watched(context.channel, seconds: settings.limits.idleSeconds)
    // Errors too, which an allowed page could not read otherwise.
    if let origin = request.headers[.origin], settings.origins.contains(origin.lowercased()) {
      response.headers[.accessControlAllowOrigin] = origin
      response.headers[.vary] = "Origin"
      response.headers[.accessControlExposeHeaders] = "Content-Disposition, Retry-After"
    }
    response.headers[.cacheControl] = "no-store"
    response.headers[.xContentTypeOptions] = "nosniff"
    response.headers[HTTPField.Name("Referrer-Policy")!] = "no-referrer"
    response.headers[.contentSecurityPolicy] =
      "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; connect-src 'self'; "
      + "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    let seconds = start.duration(to: .now) / .seconds(1)
    // Hummingbird's name of no route.
    let route = context.endpointPath.flatMap { $0 == "NotFound" ? nil : $0 } ?? "an unknown address"
    metrics.count(request.method.rawValue, route, response.status.code, seconds)
    settings.log("\(request.method.rawValue) \(route): \(response.status.code) in \(fixed(seconds, decimals: 2)) s")
    return response
  }

  /// Closes a connection whose client still sends what nobody reads, once it had time to read the answer.
  private func close(_ channel: any Channel) {
    channel.eventLoop.scheduleTask(in: .seconds(2)) { channel.close(promise: nil) }
  }
}

/// Lets in what the server was started for: this machine's programs, pages of allowed origins, holders of the token.
struct AccessGuard: RouterMiddleware {
  let settings: ServerSettings
  let token: Token?

  func handle(
    _ request: Request, context: ServedContext, next: (Request, ServedContext) async throws -> Response
  ) async throws -> Response {
    try requireHost(of: request)
    let origin = try allowedOrigin(of: request)
    if request.method == .options, origin != nil { return Self.preflight }
    if let token, !Self.isOpen(request.uri.path) {
      guard token.isGiven(by: request.headers[.authorization]) else {
        // Guessing takes time.
        try await Task.sleep(for: .milliseconds(500))
        throw ServiceError(
          .unauthorized, "The request lacks the server's token; send it as Authorization: Bearer TOKEN.",
          closesConnection: true)
      }
    }
    let isReading = [.get, .head].contains(request.method)
    if request.uri.path.split(separator: "/").first == "page", !isReading, request.headers[.xDualNorm] == nil {
      throw ServiceError(.forbidden, "The request lacks the header X-DualNorm, which pages of others cannot send.")
    }
    return try await next(request, context)
  }

  /// Pages of other names that lead to this address (DNS rebinding) name their own host.
  private func requireHost(of request: Request) throws {
    guard settings.isLoopback else { return }
    let host = (request.head.authority ?? "").replacing(/:\d+$/, with: "").trimmingCharacters(in: ["[", "]"])
    guard host.isEmpty || isLoopback(host) else {
      throw ServiceError(.forbidden, "The server answers this machine alone, by 127.0.0.1 or localhost.")
    }
  }

  /// The origin of another site's page, if it is allowed; nil for programs and for the server's own page.
  private func allowedOrigin(of request: Request) throws -> String? {
    guard let origin = request.headers[.origin]?.lowercased() else { return nil }
    if let host = request.head.authority,
      ["http://\(host.lowercased())", "https://\(host.lowercased())"].contains(origin)
    {
      return nil
    }
    guard settings.origins.contains(origin) else {
      throw ServiceError(
        .forbidden, "Pages of other sites may not use the server, unless it is started with \(Setting.allowOrigin).")
    }
    return origin
  }

  private static var preflight: Response {
    Response(
      status: .noContent,
      headers: [
        .accessControlAllowMethods: "GET, HEAD, POST, PUT, DELETE",
        .accessControlAllowHeaders: "Authorization, Content-Type, X-DualNorm", .accessControlMaxAge: "600",
      ])
  }

  /// Addresses that tell nothing: the page without data, whether the server lives, and how to get in.
  private static func isOpen(_ path: String) -> Bool {
    PageAssets.names.contains(path) || ["/health", "/auth", "/auth/", "/auth/token"].contains(path)
  }
}

extension HTTPField.Name {
  static let xDualNorm = Self("X-DualNorm")!
}
