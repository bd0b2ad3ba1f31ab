/// Characters of headers and forms.
extension UInt8 {
  static let feed = UInt8(ascii: "\n")
  static let `return` = UInt8(ascii: "\r")
  static let dash = UInt8(ascii: "-")
  static let colon = UInt8(ascii: ":")
  static let semicolon = UInt8(ascii: ";")
  static let equals = UInt8(ascii: "=")
  static let quote = UInt8(ascii: "\"")
  static let backslash = UInt8(ascii: "\\")
  static let percent = UInt8(ascii: "%")

  /// Tells whether it is a space or a tab.
  var isBlank: Bool { self == UInt8(ascii: " ") || self == UInt8(ascii: "\t") }

  var isControl: Bool { self < 32 || self == 127 }

  private var isLetterOrDigit: Bool {
    switch self {
    case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
      UInt8(ascii: "a")...UInt8(ascii: "z"):
      true
    default: false
    }
  }

  /// Tells whether names of headers and of their parameters may have it (RFC 9110).
  var isToken: Bool { isLetterOrDigit || "!#$%&'*+-.^_`|~".utf8.contains(self) }

  /// Tells whether a boundary may have it: a character of RFC 2046, or of a token, as some clients send.
  var isOfBoundary: Bool { isToken || "(),/:=? ".utf8.contains(self) }

  var hexadecimal: UInt8? { UInt8(String(UnicodeScalar(self)), radix: 16) }
}

extension String {
  /// Decodes UTF-8; nil for other bytes.
  init?(strictly bytes: some Collection<UInt8>) {
    self.init(decoding: bytes, as: UTF8.self)
    guard utf8.elementsEqual(bytes) else { return nil }
  }
}

/// The bytes without spaces and tabs around them.
func trimmed(_ bytes: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
  var rest = bytes.drop(while: \.isBlank)
  while rest.last?.isBlank ?? false { rest.removeLast() }
  return rest
}
