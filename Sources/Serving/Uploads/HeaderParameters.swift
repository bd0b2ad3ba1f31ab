/// A header's value with its parameters: `form-data; name="file"; filename="a.nii.gz"`.
struct HeaderParameters {
  /// The text before the parameters, in lower case.
  let value: String
  /// Bytes by name, in lower case, without quotes and their escapes.
  private(set) var parameters: [String: [UInt8]] = [:]

  /// - Returns: nil for a parameter without a value, with a quote that has no end, or given twice.
  init?(_ bytes: some Collection<UInt8>) {
    var rest = Array(bytes)[...]
    value = String(decoding: trimmed(rest.prefix { $0 != .semicolon }), as: UTF8.self).lowercased()
    rest = rest.drop { $0 != .semicolon }
    while let separator = rest.popFirst() {
      guard separator == .semicolon else { return nil }
      rest = rest.drop(while: \.isBlank)
      if rest.isEmpty { break }
      let name = rest.prefix { $0 != .equals }
      rest = rest.dropFirst(name.count)
      guard !name.isEmpty, name.allSatisfy(\.isToken), rest.popFirst() == .equals, let text = Self.text(&rest) else {
        return nil
      }
      let key = String(decoding: name, as: UTF8.self).lowercased()
      guard parameters.updateValue(text, forKey: key) == nil else { return nil }
      rest = rest.drop(while: \.isBlank)
    }
  }

  /// Takes a quoted text or a bare word from the beginning.
  private static func text(_ rest: inout ArraySlice<UInt8>) -> [UInt8]? {
    guard rest.first == .quote else {
      let word = rest.prefix { $0 != .semicolon && !$0.isBlank }
      rest = rest.dropFirst(word.count)
      return word.isEmpty || word.contains(.quote) ? nil : Array(word)
    }
    rest.removeFirst()
    var text: [UInt8] = []
    while let byte = rest.popFirst() {
      if byte == .quote { return text }
      // Other backslashes are those of paths on Windows, which clients send without escapes.
      if byte == .backslash, let next = rest.first, next == .quote || next == .backslash {
        text.append(rest.removeFirst())
      } else {
        text.append(byte)
      }
    }
    return nil
  }

  /// The text of a parameter in UTF-8, or of its extended form (`name*`, RFC 5987), which comes first.
  ///
  /// Of the plain form, only the three codes that browsers write are decoded: `%22`, `%0D` and `%0A`.
  /// - Throws: `MultipartFault.badText` for a text that is not UTF-8.
  func text(_ name: String) throws(MultipartFault) -> String? {
    if let extended = parameters[name + "*"] { return try Self.extendedText(extended) }
    guard let bytes = parameters[name] else { return nil }
    guard let decoded = decodingPercents(bytes, [.quote, .return, .feed]), let text = String(strictly: decoded) else {
      throw .badText
    }
    return text
  }

  /// Decodes `UTF-8'language'text`.
  private static func extendedText(_ bytes: [UInt8]) throws(MultipartFault) -> String {
    let words = bytes.split(separator: UInt8(ascii: "'"), maxSplits: 2, omittingEmptySubsequences: false)
    guard words.count == 3, String(decoding: words[0], as: UTF8.self).lowercased() == "utf-8",
      let decoded = decodingPercents(words[2]), let text = String(strictly: decoded)
    else { throw .badText }
    return text
  }
}

/// Decodes percent codes: those of some bytes, or all.
///
/// - Returns: nil where all are decoded and a percent sign has no two digits.
private func decodingPercents(_ bytes: some Collection<UInt8>, _ codes: Set<UInt8>? = nil) -> [UInt8]? {
  var result: [UInt8] = []
  var rest = Array(bytes)[...]
  while let byte = rest.popFirst() {
    let digits = byte == .percent ? rest.prefix(2).compactMap(\.hexadecimal) : []
    let code = digits.count == 2 ? 16 * digits[0] + digits[1] : nil
    if let code, codes?.contains(code) ?? true {
      result.append(code)
      rest = rest.dropFirst(2)
    } else if codes == nil, byte == .percent {
      return nil
    } else {
      result.append(byte)
    }
  }
  return result
}
