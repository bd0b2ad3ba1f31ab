import Foundation

/// The text that MetaImage and NRRD files begin with: what is needed to judge whether their voxels are all there.
struct TextHeader {
  /// Keys in lower case without spaces.
  let fields: [String: String]
  /// Where an attached header ends.
  let length: Int
  /// The file of the voxels: the header's own, or the one it names; nil where it names several.
  let dataFile: URL?

  /// Whether the voxels follow the header in the same file.
  let isAttached: Bool

  enum Encoding { case raw, deflate, other }
  let encoding: Encoding

  /// - Parameter separator: between key and value: "=" in MetaImage, ":" in NRRD.
  init(_ url: URL, separator: Character) throws {
    let file = try FileHandle(forReadingFrom: url)
    defer { try? file.close() }
    let bytes = try file.read(upToCount: 1 << 16) ?? Data()
    var fields: [String: String] = [:]
    var start = bytes.startIndex
    while let end = bytes[start...].firstIndex(of: UInt8(ascii: "\n")) {
      let line = String(decoding: bytes[start..<end], as: UTF8.self)
      start = end + 1
      if line.trimmingCharacters(in: .whitespaces).isEmpty { break }  // ends an NRRD header
      let parts = line.split(separator: separator, maxSplits: 1)
        .map { $0.trimmingCharacters(in: .whitespacesAndNewlines) }
      guard parts.count == 2, separator == "=" || !parts[1].hasPrefix("=") else { continue }  // NRRD's own "key:=value"
      let key = parts[0].lowercased().filter { $0 != " " }
      fields[key] = parts[1]
      if key == "elementdatafile" { break }  // ends a MetaImage header
    }
    self.fields = fields
    length = start
    let name = fields["elementdatafile"] ?? fields["datafile"]
    isAttached = name == nil || name == "LOCAL"
    if let name, !isAttached {
      let several = name.hasPrefix("LIST") || name.contains("%")
      dataFile = several ? nil : URL(fileURLWithPath: name, relativeTo: url.deletingLastPathComponent())
    } else {
      dataFile = url
    }
    switch fields["encoding"] ?? (fields["compresseddata"]?.lowercased() == "true" ? "gzip" : "raw") {
    case "raw": encoding = .raw
    case "gzip", "gz": encoding = .deflate
    default: encoding = .other
    }
  }
}
