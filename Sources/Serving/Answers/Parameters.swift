import Foundation

/// The parameters of a request as JSON: options of a model, and what the answer shall be.
struct ClientParameters {
  private let values: [String: Any]

  /// - Throws: `ServiceError` for text that is no JSON object.
  init(json text: String?) throws {
    guard let text, !text.isEmpty else {
      values = [:]
      return
    }
    guard let values = try? JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any] else {
      throw ServiceError.wrong("The field params is no JSON object; send {} for none.")
    }
    self.values = values
  }

  /// - Throws: `ServiceError` for a value of another kind. A list counts by its first value, as 3D Slicer's choices do.
  func text(_ name: String) throws -> String? {
    let value = (values[name] as? [Any]).map { $0.first } ?? values[name]
    guard let value, !(value is NSNull) else { return nil }
    guard let text = value as? String else { throw ServiceError.wrong("The parameter \(name) is no text.") }
    return text
  }

  /// - Throws: `ServiceError` for a value of another kind.
  func flag(_ name: String) throws -> Bool? {
    guard let value = values[name], !(value is NSNull) else { return nil }
    guard let flag = value as? Bool else {
      throw ServiceError.wrong("The parameter \(name) is neither true nor false.")
    }
    return flag
  }

  /// Numbers of a label's classes by their names: `[{"name": "liver", "idx": 1}]`.
  ///
  /// - Throws: `ServiceError` for entries without a name or a number.
  func labelNumbers() throws -> [(name: String, number: Int)]? {
    guard let value = values["label_info"], !(value is NSNull) else { return nil }
    guard let entries = value as? [[String: Any]] else {
      throw ServiceError.wrong("The parameter label_info is no list.")
    }
    guard !entries.isEmpty else { return nil }
    return try entries.map { entry in
      guard let name = entry["name"] as? String, let number = entry["idx"] as? Int, number > 0 else {
        throw ServiceError.wrong("An entry of label_info lacks its name, or its idx above 0.")
      }
      return (name, number)
    }
  }
}
