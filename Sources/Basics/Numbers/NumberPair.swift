/// Numbers that a user gives together, such as a height and a width; a list in files.
package protocol NumberTuple: Hashable, Sendable {
  associatedtype Number: Codable & LosslessStringConvertible & Sendable

  /// A valid value, in words: "two numbers, …".
  static var expected: String { get }

  /// - Throws: `Refusal` for another count than the type has.
  init(_ values: [Number], of setting: Setting) throws
}

extension NumberTuple {
  /// The refusal of another count.
  package static func refusal(of values: [Number], for setting: Setting) -> Refusal {
    Refusal(.input, "\(setting) is \(values.map { "\($0)" }.joined(separator: ","))", remedy: "give \(expected)")
  }
}

/// Two numbers that a user gives together.
package protocol NumberPair: NumberTuple, Codable {
  init(_ first: Number, _ second: Number)

  /// The two numbers.
  var values: [Number] { get }
}

extension NumberPair {
  package init(_ values: [Number], of setting: Setting) throws {
    guard values.count == 2 else { throw Self.refusal(of: values, for: setting) }
    self.init(values[0], values[1])
  }

  package init(from decoder: any Decoder) throws {
    let values = try [Number](from: decoder)
    guard values.count == 2 else {
      throw DecodingError.dataCorrupted(
        .init(
          codingPath: decoder.codingPath, debugDescription: "\(counted(values.count, "value")), expected two"))
    }
    self.init(values[0], values[1])
  }

  package func encode(to encoder: any Encoder) throws { try values.encode(to: encoder) }
}
