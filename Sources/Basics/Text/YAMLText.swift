package import Foundation

/// Reads the text of a YAML file after checking that parsing it cannot exhaust time, memory or the stack.
///
/// Each alias can double the text before it. At the allowed number of aliases, a text grows to at most about a
/// hundred times its length.
package enum YAMLText {
  static let largestFile = 256 << 10
  static let mostAliases = 12
  static let deepestNesting = 100

  /// - Parameter what: the expected contents of the file, for messages.
  /// - Throws: `Refusal` naming the file.
  package static func read(_ url: URL, what: String) throws -> String {
    guard let data = contents(ofRegularFile: url), let text = String(data: data, encoding: .utf8) else {
      throw Refusal(.input, url.path, "cannot be read as text", remedy: "give a YAML file of \(what)")
    }
    try check(text, file: url.path, what: what)
    return text
  }

  static func check(_ text: String, file: String, what: String) throws {
    let bytes = Array(text.utf8)
    guard bytes.count <= largestFile else {
      throw Refusal(
        .input, file, "has \(bytes.count) bytes, and a YAML file of \(what) has at most \(largestFile)",
        remedy: "give another")
    }
    guard aliases(in: bytes) <= mostAliases else {
      throw Refusal(
        .input, file, "has more than \(mostAliases) YAML aliases (*name)", remedy: "write out what they stand for")
    }
    guard nesting(of: bytes) <= deepestNesting else {
      throw Refusal(
        .input, file, "may nest more than \(deepestNesting) levels deep", detail: "a YAML file of \(what) has 3")
    }
  }

  /// Counts the asterisks that may begin an alias; those that end a word do not count.
  private static func aliases(in bytes: [UInt8]) -> Int {
    bytes.indices.count { place in
      bytes[place] == UInt8(ascii: "*") && place + 1 < bytes.count && !isSpace(bytes[place + 1])
        && (place == 0 || isSpace(bytes[place - 1]) || "[{,:-?".utf8.contains(bytes[place - 1]))
    }
  }

  /// An upper bound of the nesting depth: open brackets, even in quotes, plus the indentation and indicators of a line.
  private static func nesting(of bytes: [UInt8]) -> Int {
    var (open, deepest) = (0, 0)
    for line in bytes.split(separator: UInt8(ascii: "\n")) {
      var inLine = line.prefix { isSpace($0) }.count
      for (place, byte) in zip(line.indices, line) {
        switch byte {
        case UInt8(ascii: "["), UInt8(ascii: "{"): open += 1
        case UInt8(ascii: "]"), UInt8(ascii: "}"): open = max(0, open - 1)
        case UInt8(ascii: "-"), UInt8(ascii: "?"), UInt8(ascii: ":"):
          if place + 1 == line.endIndex || isSpace(line[place + 1]) { inLine += 1 }
        default: break
        }
        deepest = max(deepest, open + inLine)
      }
    }
    return deepest
  }

  private static func isSpace(_ byte: UInt8) -> Bool { [0x20, 0x09, 0x0A, 0x0D].contains(byte) }
}
