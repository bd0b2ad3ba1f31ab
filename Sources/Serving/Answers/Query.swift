import Foundation
import Hummingbird

extension Request {
  /// The parameters after the path's question mark, decoded as forms are; the first of a name counts.
  var query: [String: String] { formFields(uri.query ?? "") }

  /// A parameter of the query.
  ///
  /// - Throws: `ServiceError` if it is missing or empty.
  func required(_ name: String) throws -> String {
    guard let value = query[name], !value.isEmpty else {
      throw ServiceError.wrong("The request lacks the parameter \(name); add ?\(name)=… to its address.")
    }
    return value
  }
}

/// The fields of an encoded form (`application/x-www-form-urlencoded`); the first of a name counts.
func formFields(_ text: String) -> [String: String] {
  let parts = text.split(separator: "&").map { part in
    part.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map { text in
      text.replacingOccurrences(of: "+", with: " ").removingPercentEncoding ?? String(text)
    }
  }
  return Dictionary(parts.map { ($0[0], $0.count > 1 ? $0[1] : "") }) { first, _ in first }
}
