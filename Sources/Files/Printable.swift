/// A sentence for a message, on one line: what a file or a name brings of control characters, line ends and marks that turn
/// the direction of writing becomes a question mark, so that a terminal shows what is meant.
public func printable(_ sentence: String) -> String {
  func isHarmful(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar.properties.generalCategory {
    case .control, .lineSeparator, .paragraphSeparator: true
    case .format: (0x202A...0x202E).contains(scalar.value) || (0x2066...0x2069).contains(scalar.value)
    default: false
    }
  }
  guard sentence.unicodeScalars.contains(where: isHarmful) else { return sentence }
  var result = String.UnicodeScalarView()
  for scalar in sentence.unicodeScalars { result.append(isHarmful(scalar) ? "?" : scalar) }
  return String(result)
}
