/// Reads the JSON subset of a safetensors header: objects, strings, arrays of whole numbers.
///
/// Foundation's decoders lose the order of keys and repeated keys, and both matter here. Nothing nests or recurses.
struct HeaderScanner {
  struct SyntaxError: Error {
    /// The offset from the header's start in bytes.
    let position: Int
    let expected: String
  }

  private let bytes: [UInt8]
  private var position = 0

  init(_ bytes: [UInt8]) { self.bytes = bytes }

  func expected(_ what: String) -> SyntaxError { SyntaxError(position: position, expected: what) }

  mutating func expect(_ character: Unicode.Scalar) throws {
    guard skip(character) else { throw expected("'\(character)'") }
  }

  mutating func expectEnd() throws {
    skipSpace()
    guard position == bytes.count else { throw expected("nothing more") }
  }

  /// Reads the next key of an open object with its colon; nil at the object's end. `isFirst` marks the first key.
  mutating func key(isFirst: Bool) throws -> String? {
    if skip("}") { return nil }
    if !isFirst { try expect(",") }
    let key = try string()
    try expect(":")
    return key
  }

  mutating func wholeNumbers() throws -> [Int] {
    try expect("[")
    var numbers: [Int] = []
    while !skip("]") {
      if !numbers.isEmpty { try expect(",") }
      numbers.append(try wholeNumber())
    }
    return numbers
  }

  mutating func string() throws -> String {
    try expect("\"")
    var text: [UInt8] = []
    while position < bytes.count {
      let byte = bytes[position]
      position += 1
      switch byte {
      case UInt8(ascii: "\""):
        guard let string = String(utf8: text) else { throw expected("UTF-8") }
        return string
      case UInt8(ascii: "\\"): text.append(contentsOf: String(try escaped()).utf8)
      case 0..<0x20: throw expected("no control character")
      default: text.append(byte)
      }
    }
    throw expected("'\"'")
  }

  /// Reads the rest of an escape and returns its character.
  private mutating func escaped() throws -> Unicode.Scalar {
    guard position < bytes.count else { throw expected("an escape") }
    position += 1
    switch bytes[position - 1] {
    case UInt8(ascii: "\""): return "\""
    case UInt8(ascii: "\\"): return "\\"
    case UInt8(ascii: "/"): return "/"
    case UInt8(ascii: "b"): return "\u{8}"
    case UInt8(ascii: "f"): return "\u{C}"
    case UInt8(ascii: "n"): return "\n"
    case UInt8(ascii: "r"): return "\r"
    case UInt8(ascii: "t"): return "\t"
    case UInt8(ascii: "u"): return try codePoint()
    default: throw expected("an escape")
    }
  }

  private mutating func codePoint() throws -> Unicode.Scalar {
    let first = try fourHexDigits()
    guard UTF16.isLeadSurrogate(first) else {
      guard let scalar = Unicode.Scalar(first) else { throw expected("a pair of surrogates") }
      return scalar
    }
    guard bytes[position...].starts(with: [UInt8(ascii: "\\"), UInt8(ascii: "u")]) else {
      throw expected("a pair of surrogates")
    }
    position += 2
    let second = try fourHexDigits()
    guard UTF16.isTrailSurrogate(second) else { throw expected("a pair of surrogates") }
    return UTF16.decode(UTF16.EncodedScalar([first, second]))
  }

  private mutating func fourHexDigits() throws -> UInt16 {
    let digits = bytes[position...].prefix(4)
    // Swift's integer parser would accept a sign too.
    guard digits.count == 4, digits.allSatisfy({ Character(Unicode.Scalar($0)).isHexDigit }),
      let value = UInt16(String(decoding: digits, as: UTF8.self), radix: 16)
    else { throw expected("four hexadecimal digits") }
    position += 4
    return value
  }

  private mutating func wholeNumber() throws -> Int {
    skipSpace()
    let digits = bytes[position...].prefix { $0 >= UInt8(ascii: "0") && $0 <= UInt8(ascii: "9") }
    guard !digits.isEmpty, digits.count == 1 || digits.first != UInt8(ascii: "0"),
      let number = Int(String(decoding: digits, as: UTF8.self))
    else { throw expected("a whole number below 2^63") }
    position = digits.endIndex
    return number
  }

  private mutating func skip(_ character: Unicode.Scalar) -> Bool {
    skipSpace()
    guard position < bytes.count, bytes[position] == UInt8(ascii: character) else { return false }
    position += 1
    return true
  }

  private mutating func skipSpace() {
    while position < bytes.count {
      switch bytes[position] {
      case 0x20, 0x09, 0x0A, 0x0D: position += 1
      default: return
      }
    }
  }
}
