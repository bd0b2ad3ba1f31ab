extension String {
  /// Text that fits a sentence: at most 80 characters, with invisible ones escaped.
  var printable: String {
    let shown = unicodeScalars.prefix(80).map { scalar in
      switch scalar.properties.generalCategory {
      case .control, .format, .lineSeparator, .paragraphSeparator, .unassigned: scalar.escaped(asASCII: true)
      default: String(scalar)
      }
    }
    return shown.joined() + (unicodeScalars.dropFirst(80).isEmpty ? "" : "…")
  }

  /// Decodes `bytes`; nil where they are not UTF-8.
  init?(utf8 bytes: some Collection<UInt8>) {
    self.init(decoding: bytes, as: UTF8.self)
    guard utf8.elementsEqual(bytes) else { return nil }  // decoding replaces what is not UTF-8
  }
}
