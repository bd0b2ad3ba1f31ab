import Basics
import Foundation
import HTTPTypes
import Hummingbird

/// A request that is not done: its status, and one sentence for the client.
struct ServiceError: Error {
  let status: HTTPResponse.Status
  var detail: String
  /// Seconds after which the client may try again; nil where trying again is no use.
  var retryAfter: Int?
  /// Tells whether the rest of the request's body is not worth reading.
  var closesConnection = false

  init(_ status: HTTPResponse.Status, _ detail: String, retryAfter: Int? = nil, closesConnection: Bool = false) {
    (self.status, self.detail, self.retryAfter) = (status, detail, retryAfter)
    self.closesConnection = closesConnection
  }

  static func notFound(_ detail: String) -> ServiceError { ServiceError(.notFound, detail) }
  static func wrong(_ detail: String) -> ServiceError { ServiceError(.badRequest, detail) }

  static let stopping = ServiceError(.serviceUnavailable, "The server is ending; try again later.", retryAfter: 30)

  /// The error that a client gets for any error of its request.
  ///
  /// - Parameter hidden: paths of this machine, with what to write in their place.
  static func of(_ error: any Error, hiding hidden: [(path: String, name: String)] = []) -> ServiceError {
    switch error {
    case let error as ServiceError: error
    case let error as Refusal where error.kind == .file:
      // A file of this machine, whose name is no matter of clients.
      ServiceError(.internalServerError, "The server could not do this: \(error.found); tell whoever runs it.")
    case let error as Refusal:
      ServiceError(
        .badRequest, hidden.reduce(error.description) { $0.replacingOccurrences(of: $1.path, with: $1.name) })
    case is CancellationError: ServiceError(.badRequest, "The request was given up.")
    default: ServiceError(.internalServerError, "The server could not do this; its log has more.")
    }
  }

  /// Words for the log about an error of the server. They name no file, since names may be those of patients.
  static func logged(_ error: any Error) -> String {
    switch error {
    case let error as ServiceError: error.detail
    case let error as Refusal: error.found
    default: "\(type(of: error)) \((error as NSError).code)"
    }
  }

  var response: Response {
    var response = Response.json(["detail": .string(detail)], status: status)
    if let retryAfter { response.headers[.retryAfter] = "\(retryAfter)" }
    if status == .unauthorized { response.headers[.wwwAuthenticate] = "Bearer" }
    if closesConnection { response.headers[.connection] = "close" }
    return response
  }
}
