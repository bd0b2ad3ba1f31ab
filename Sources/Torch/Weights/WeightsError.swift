/// A file of weights that cannot be read or written; `description` is one sentence for the user that names the file,
/// what was found and what to do.
public struct WeightsError: Error, Equatable, CustomStringConvertible {
  public let description: String

  public init(_ description: String) { self.description = description }
}

extension String {
  /// Fit for a sentence, wherever it came from: invisible characters are escaped, and 80 characters are the most.
  var printable: String {
    let shown = unicodeScalars.prefix(80).map { scalar in
      switch scalar.properties.generalCategory {
      case .control, .format, .lineSeparator, .paragraphSeparator, .unassigned: scalar.escaped(asASCII: true)
      default: String(scalar)
      }
    }
    return shown.joined() + (unicodeScalars.dropFirst(80).isEmpty ? "" : "…")
  }

  /// `bytes` as text, or nil where they are not UTF-8.
  init?(utf8 bytes: some Collection<UInt8>) {
    self.init(decoding: bytes, as: UTF8.self)
    guard utf8.elementsEqual(bytes) else { return nil }  // decoding replaces what is not UTF-8
  }
}
