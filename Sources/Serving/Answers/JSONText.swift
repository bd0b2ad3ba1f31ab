package import Foundation

/// A JSON value that keeps the order of its keys.
///
/// `JSONEncoder` does not keep it, and 3D Slicer names segments by the order of labels in an answer.
package enum JSONText: Sendable {
  case object([(String, JSONText)])
  case array([JSONText])
  case string(String)
  /// A number; one that is not finite becomes null.
  case number(Double)
  case integer(Int)
  case bool(Bool)
  case null

  /// The JSON in UTF-8, on one line without spaces.
  package var data: Data {
    var bytes: [UInt8] = []
    write(to: &bytes)
    return Data(bytes)
  }

  package var text: String { String(decoding: data, as: UTF8.self) }

  private func write(to bytes: inout [UInt8]) {
    switch self {
    case .object(let members):
      Self.list(members, "{", "}", &bytes) { member, bytes in
        Self.quote(member.0, &bytes)
        bytes.append(UInt8(ascii: ":"))
        member.1.write(to: &bytes)
      }
    case .array(let values): Self.list(values, "[", "]", &bytes) { $0.write(to: &$1) }
    case .string(let text): Self.quote(text, &bytes)
    case .number(let value): bytes += (value.isFinite ? "\(value)" : "null").utf8
    case .integer(let value): bytes += "\(value)".utf8
    case .bool(let value): bytes += "\(value)".utf8
    case .null: bytes += "null".utf8
    }
  }

  private static func list<Element>(
    _ elements: [Element], _ open: String, _ close: String, _ bytes: inout [UInt8],
    _ write: (Element, inout [UInt8]) -> Void
  ) {
    bytes += open.utf8
    for (index, element) in elements.enumerated() {
      if index > 0 { bytes.append(UInt8(ascii: ",")) }
      write(element, &bytes)
    }
    bytes += close.utf8
  }

  private static func quote(_ text: String, _ bytes: inout [UInt8]) {
    bytes.append(UInt8(ascii: "\""))
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\"": bytes += "\\\"".utf8
      case "\\": bytes += "\\\\".utf8
      case "\n": bytes += "\\n".utf8
      case "\r": bytes += "\\r".utf8
      case "\t": bytes += "\\t".utf8
      // JavaScript before 2019 takes the last two for line ends, also within a string.
      case "\0"..<" ", "\u{7F}"..<"\u{A0}", "\u{2028}", "\u{2029}":
        let digits = String(scalar.value, radix: 16)
        bytes += "\\u\(String(repeating: "0", count: 4 - digits.count))\(digits)".utf8
      default: bytes += UTF8.encode(scalar)!
      }
    }
    bytes.append(UInt8(ascii: "\""))
  }
}

extension JSONText: Equatable {
  /// Tells whether two values are equal, with their keys in one order.
  package static func == (a: JSONText, b: JSONText) -> Bool {
    switch (a, b) {
    case (.object(let a), .object(let b)): a.elementsEqual(b) { $0.0 == $1.0 && $0.1 == $1.1 }
    case (.array(let a), .array(let b)): a == b
    case (.string(let a), .string(let b)): a == b
    case (.number(let a), .number(let b)): a == b
    case (.integer(let a), .integer(let b)): a == b
    case (.bool(let a), .bool(let b)): a == b
    case (.null, .null): true
    default: false
    }
  }
}

// MARK: - Literals

extension JSONText: ExpressibleByDictionaryLiteral, ExpressibleByArrayLiteral, ExpressibleByStringInterpolation,
  ExpressibleByIntegerLiteral, ExpressibleByFloatLiteral, ExpressibleByBooleanLiteral, ExpressibleByNilLiteral
{
  /// Keeps the order of the keys.
  package init(dictionaryLiteral members: (String, JSONText)...) { self = .object(members) }
  package init(arrayLiteral values: JSONText...) { self = .array(values) }
  package init(stringLiteral text: String) { self = .string(text) }
  package init(integerLiteral value: Int) { self = .integer(value) }
  package init(floatLiteral value: Double) { self = .number(value) }
  package init(booleanLiteral value: Bool) { self = .bool(value) }
  package init(nilLiteral: ()) { self = .null }
}
