import Basics

/// The address of a DICOM server, or of a series there: `dicom://AET@HOST:PORT/SERIES`.
package struct DICOMAddress: Equatable, Sendable {
  /// The title of the server's application entity.
  package let title: String
  /// A name or an IPv4 address.
  package let host: String
  package let port: UInt16
  /// Series Instance UID; nil for the server itself.
  package let series: String?
  /// Study Instance UID, before the series, for servers that find a series only within its study.
  package let study: String?

  /// The address of the server alone.
  package var server: String { "\(Self.scheme)\(title)@\(host):\(port)" }

  private static let scheme = "dicom://"

  /// Tells whether a word is meant as an address, and not as a path.
  package static func isMeant(by word: String) -> Bool { word.hasPrefix(scheme) }

  /// - Throws: `Refusal` that names the wrong part.
  package init(_ text: String) throws {
    func refusal(_ found: String, _ remedy: String) -> Refusal { Refusal(.input, text, found, remedy: remedy) }
    guard Self.isMeant(by: text) else {
      throw refusal("is no address of a DICOM server", "give dicom://AET@HOST:PORT")
    }
    let rest = text.dropFirst(Self.scheme.count)
    // Titles may hold most characters, hosts and UIDs no @.
    guard let at = rest.lastIndex(of: "@"), let title = Self.title(rest[..<at]) else {
      throw refusal("does not begin with the server's title", Self.aboutTitles)
    }
    let parts = rest[rest.index(after: at)...].split(separator: "/", omittingEmptySubsequences: false)
    guard !parts[0].hasPrefix("[") else {
      throw refusal("has an IPv6 address, which DCMTK does not reach", "give the server's name or IPv4 address")
    }
    let place = parts[0].split(separator: ":", omittingEmptySubsequences: false)
    guard place.count == 2, isHost(place[0]), let port = portNumber(place[1]) else {
      throw refusal("has no host and port", "give AET@HOST:PORT, with a port from 1 to 65535")
    }
    let uids = parts.dropFirst().map(String.init)
    guard uids.count <= 2, uids.allSatisfy(isUID) else {
      throw refusal(
        "has another end than a series",
        "give its Series Instance UID, of digits and dots, after the port: HOST:PORT/SERIES")
    }
    (self.title, self.port, host) = (title, port, String(place[0]))
    series = uids.last
    study = uids.count > 1 ? uids[0] : nil
  }

  static let aboutTitles = "a title (AET) has 1 to 16 characters of ASCII, and no backslash"

  /// A title without the spaces around it; nil unless it is one.
  static func title(_ text: some StringProtocol) -> String? {
    let title = text.trimming { $0 == " " }
    let isValid = (1...16).contains(title.count) && title.utf8.allSatisfy { 32...126 ~= $0 && $0 != UInt8(ascii: "\\") }
    return isValid ? title : nil
  }
}

extension StringProtocol {
  fileprivate func trimming(_ isTrimmed: (Character) -> Bool) -> String {
    String(String(drop(while: isTrimmed).reversed()).drop(while: isTrimmed).reversed())
  }
}
