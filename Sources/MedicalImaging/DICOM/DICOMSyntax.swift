/// Names of DICOM's transfer syntaxes, which define the storage of a file's elements and pixels.
enum DICOMSyntax {
  /// Tells whether the elements of a syntax are compressed as a whole.
  static func isDeflated(_ uid: String) -> Bool {
    ["1.2.840.10008.1.2.1.99", "1.2.840.10008.1.2.4.95", "1.2.840.10008.1.2.4.205"].contains(uid)
  }

  /// The name for messages; the UID itself for a rare syntax.
  static func name(_ uid: String) -> String {
    let prefix = "1.2.840.10008.1.2.4."
    guard uid.hasPrefix(prefix), let number = Int(uid.dropFirst(prefix.count)) else { return "transfer syntax \(uid)" }
    switch number {
    case 50...70: return "JPEG (transfer syntax \(uid))"
    case 80, 81: return "JPEG-LS"
    case 90...93: return "JPEG 2000"
    case 94, 95: return "JPIP, pixels kept elsewhere"
    case 100...108: return "video"
    case 110...112: return "JPEG XL"
    case 201...205: return "High-Throughput JPEG 2000"
    default: return "transfer syntax \(uid)"
    }
  }
}
