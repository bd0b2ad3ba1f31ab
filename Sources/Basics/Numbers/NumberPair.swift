/// Two numbers that a user gives together, such as a height and a width; a list of two in files.
package protocol NumberPair: Codable, Hashable, Sendable {
  associatedtype Number: Codable & LosslessStringConvertible & Sendable

  /// A valid value, in words: "two numbers, …".
  static var expected: String { get }

  init(_ first: Number, _ second: Number)

  /// The two numbers.
  var values: [Number] { get }
}

extension NumberPair {
  /// - Throws: `Refusal` for other than two numbers.
  package init(_ values: [Number], of setting: Setting) throws {
    guard values.count == 2 else {
      throw Refusal(
        .input, "\(setting) is \(values.map { "\($0)" }.joined(separator: ","))", remedy: "give \(Self.expected)")
    }
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
