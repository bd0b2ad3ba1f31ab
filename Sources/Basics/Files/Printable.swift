/// Makes a sentence safe for a one-line message.
///
/// Control characters, line ends and bidirectional marks from files or names become question marks, so a terminal
/// shows the text as it is meant. Paths with a name of their own (`PathNames`) become it.
package func printable(_ sentence: String) -> String {
  let sentence = PathNames.replacingPaths(in: sentence)
  guard sentence.unicodeScalars.contains(where: \.misleads) else { return sentence }
  var result = String.UnicodeScalarView()
  for scalar in sentence.unicodeScalars { result.append(scalar.misleads ? "?" : scalar) }
  return String(result)
}

/// Makes each line of a text safe for a terminal; line breaks stay.
package func printableLines(_ text: String) -> String {
  text.split(separator: "\n", omittingEmptySubsequences: false).map { printable(String($0)) }.joined(separator: "\n")
}

/// Escapes such characters in JSON text, so a terminal shows it as it is meant; the value stays equal.
///
/// Line breaks outside strings stay.
package func printableJSON(_ text: String) -> String {
  func isKept(_ scalar: Unicode.Scalar) -> Bool { !scalar.misleads || scalar == "\n" }
  guard !text.unicodeScalars.allSatisfy(isKept) else { return text }
  var result = String.UnicodeScalarView()
  for scalar in text.unicodeScalars {
    guard !isKept(scalar) else {
      result.append(scalar)
      continue
    }
    // Each has at most four hexadecimal digits.
    let digits = String(scalar.value, radix: 16)
    result += "\\u\(String(repeating: "0", count: max(0, 4 - digits.count)))\(digits)".unicodeScalars
  }
  return String(result)
}

extension Unicode.Scalar {
  /// Tells whether a character disturbs the text around it: by moving the cursor, or by changing the writing direction.
  package var misleads: Bool {
    switch properties.generalCategory {
    case .control, .lineSeparator, .paragraphSeparator: true
    case .format: isDirectionMark
    default: false
    }
  }

  /// Tells whether it has Unicode's property Bidi_Control.
  private var isDirectionMark: Bool {
    value == 0x061C || (0x200E...0x200F).contains(value) || (0x202A...0x202E).contains(value)
      || (0x2066...0x2069).contains(value)
  }
}
