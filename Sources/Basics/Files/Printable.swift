/// A sentence for a message, on one line: what a file or a name brings of control characters, line ends and marks that turn
/// the direction of writing becomes a question mark, so that a terminal shows what is meant.
package func printable(_ sentence: String) -> String {
  guard sentence.unicodeScalars.contains(where: \.misleads) else { return sentence }
  var result = String.UnicodeScalarView()
  for scalar in sentence.unicodeScalars { result.append(scalar.misleads ? "?" : scalar) }
  return String(result)
}

/// A text for a terminal whose lines are printable; they stay lines.
package func printableLines(_ text: String) -> String {
  text.split(separator: "\n", omittingEmptySubsequences: false).map { printable(String($0)) }.joined(separator: "\n")
}

/// A text of JSON with escapes in place of such characters: it says the same, and a terminal shows what is meant.
///
/// Line ends outside of strings stay.
package func printableJSON(_ text: String) -> String {
  func isKept(_ scalar: Unicode.Scalar) -> Bool { !scalar.misleads || scalar == "\n" }
  guard !text.unicodeScalars.allSatisfy(isKept) else { return text }
  var result = String.UnicodeScalarView()
  for scalar in text.unicodeScalars {
    guard !isKept(scalar) else {
      result.append(scalar)
      continue
    }
    // All of them have at most four digits.
    let digits = String(scalar.value, radix: 16)
    result += "\\u\(String(repeating: "0", count: max(0, 4 - digits.count)))\(digits)".unicodeScalars
  }
  return String(result)
}

extension Unicode.Scalar {
  /// Whether it moves what stands around it: on a terminal by its line, on a page by the direction of writing.
  package var misleads: Bool {
    switch properties.generalCategory {
    case .control, .lineSeparator, .paragraphSeparator: true
    case .format: isDirectionMark
    default: false
    }
  }

  /// All of Unicode's property Bidi_Control.
  private var isDirectionMark: Bool {
    value == 0x061C || (0x200E...0x200F).contains(value) || (0x202A...0x202E).contains(value)
      || (0x2066...0x2069).contains(value)
  }
}
