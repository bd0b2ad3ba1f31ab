import Basics

/// A piece of a page, as HTML that is also well-formed XML.
///
/// Text and numbers interpolated in a literal are escaped; other markup is not:
///
///     let title: Markup = "<h2>\(caseName)</h2>"
struct Markup: ExpressibleByStringInterpolation, Equatable, Sendable {
  private(set) var text: String

  init(stringLiteral value: String) { text = value }

  init(stringInterpolation: StringInterpolation) { text = stringInterpolation.text }

  /// Wraps text that is already markup, such as a resource.
  init(trusted text: String) { self.text = text }

  static func += (markup: inout Markup, more: Markup) { markup.text += more.text }

  static func + (a: Markup, b: Markup) -> Markup { Markup(trusted: a.text + b.text) }

  struct StringInterpolation: StringInterpolationProtocol {
    fileprivate var text = ""

    init(literalCapacity: Int, interpolationCount: Int) {
      text.reserveCapacity(literalCapacity + 16 * interpolationCount)
    }

    mutating func appendLiteral(_ literal: String) { text += literal }

    mutating func appendInterpolation(_ value: String) { text += value.escapedForMarkup }

    mutating func appendInterpolation(_ number: Int) { text += String(number) }

    mutating func appendInterpolation(_ markup: Markup) { text += markup.text }

    /// Appends nothing for nil.
    mutating func appendInterpolation(_ markup: Markup?) { text += markup?.text ?? "" }

    mutating func appendInterpolation(_ parts: [Markup]) { for part in parts { text += part.text } }
  }
}

extension [Markup] {
  func joined(by separator: String = "") -> Markup {
    Markup(trusted: map(\.text).joined(separator: separator.escapedForMarkup))
  }
}

extension String {
  /// Escapes a text or an attribute's value.
  ///
  /// Characters that XML cannot hold become U+FFFD. Bidirectional marks and line breaks become a question mark, as in
  /// messages.
  var escapedForMarkup: String {
    guard utf8.contains(where: { $0 < 0x20 || $0 > 0x7E || "&<>\"'".utf8.contains($0) }) else { return self }
    var result = ""
    result.reserveCapacity(utf8.count + 16)
    for scalar in unicodeScalars {
      switch scalar {
      case "&": result += "&amp;"
      case "<": result += "&lt;"
      case ">": result += "&gt;"
      case "\"": result += "&quot;"
      case "'": result += "&#39;"
      case "\t", "\n": result.unicodeScalars.append(scalar)
      case "\u{0}"..<" ", "\u{7F}"..."\u{9F}", "\u{FFFE}", "\u{FFFF}": result += "\u{FFFD}"
      default: result.unicodeScalars.append(scalar.misleads ? "?" : scalar)
      }
    }
    return result
  }
}
