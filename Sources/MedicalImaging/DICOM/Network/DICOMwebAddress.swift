import Basics

/// The address of a DICOMweb server, or of a series there:
/// `dicomweb+https://HOST[:PORT]/PATH/studies/STUDY/series/SERIES`.
package struct DICOMwebAddress: Equatable, Sendable {
  /// Tells whether the connection is encrypted: https, and not http.
  package let isEncrypted: Bool
  /// Host and port as they are written.
  package let place: String
  /// The path of the service, without a slash at its end; empty for the host's root.
  package let path: String
  /// Study and Series Instance UID; nil for the server itself.
  package let study: String?
  package let series: String?

  /// The address of the server alone.
  package var server: String { Self.prefix + url }
  /// The URL of the service.
  var url: String { "\(isEncrypted ? "https" : "http")://\(place)\(path)" }

  /// Tells whether the server is this machine.
  package var isLoopback: Bool {
    Basics.isLoopback(
      place.hasPrefix("[") ? String(place.prefix { $0 != "]" }) + "]" : String(place.prefix { $0 != ":" }))
  }

  private static let prefix = "dicomweb+"
  private static let schemes = ["https://", "http://"]

  /// Tells whether a word is meant as an address, and not as a path.
  package static func isMeant(by word: String) -> Bool { word.hasPrefix(prefix) }

  /// - Throws: `Refusal` that names the wrong part, and no user or password.
  package init(_ text: String) throws {
    guard let scheme = Self.schemes.first(where: { text.hasPrefix(Self.prefix + $0) }) else {
      throw Refusal(
        .input, text.contains("@") ? Self.prefix : text, "is no address of a DICOMweb server",
        remedy: "give dicomweb+https://HOST/PATH")
    }
    let rest = text.dropFirst(Self.prefix.count + scheme.count)
    try Self.requireNoUser(rest, scheme)
    func refusal(_ found: String, _ remedy: String) -> Refusal { Refusal(.input, text, found, remedy: remedy) }
    guard rest.utf8.allSatisfy(Self.isOfURLs) else {
      throw refusal("has a character that URLs do not have", "write it as % and two digits")
    }
    guard !rest.contains(where: { "?#".contains($0) }) else {
      throw refusal("has a question mark or #", "give the path alone")
    }
    var parts = rest.split(separator: "/", omittingEmptySubsequences: false)
    guard Self.isPlace(parts[0]) else {
      throw refusal("has no host, or another port than 1 to 65535", "give HOST or HOST:PORT after //")
    }
    if parts.count > 1, parts.last!.isEmpty { parts.removeLast() }
    (isEncrypted, place) = (scheme == Self.schemes[0], String(parts.removeFirst()))
    guard let uids = Self.takeUIDs(from: &parts) else {
      throw refusal(
        "has a study or series that is no UID, of digits and dots", "end it with /studies/STUDY/series/SERIES")
    }
    guard parts.allSatisfy({ !["", ".", ".."].contains($0) }) else {
      throw refusal("has an empty part or dots in its path", "give the path of the server's DICOMweb")
    }
    path = parts.map { "/\($0)" }.joined()
    (study, series) = uids
  }

  /// Takes `/studies/STUDY/series/SERIES`, or the study alone, off a path's end; nil for malformed UIDs.
  private static func takeUIDs(from parts: inout [Substring]) -> (study: String?, series: String?)? {
    guard let place = parts.lastIndex(of: "studies") else { return (nil, nil) }
    let end = parts[place...].map(String.init)
    parts.removeSubrange(place...)
    guard end.count == 2 || end.count == 4 && end[2] == "series", isUID(end[1]), isUID(end.last!) else { return nil }
    return (end[1], end.count == 4 ? end[3] : nil)
  }

  private static func requireNoUser(_ rest: Substring, _ scheme: String) throws {
    let place = rest.prefix { !"/?#".contains($0) }
    // A password may hold a slash.
    guard place.contains("@") || rest.contains("@") && place.contains(":") && !isPlace(place) else { return }
    throw Refusal(
      .input, "\(prefix)\(scheme)\(rest[rest.index(after: rest.lastIndex(of: "@")!)...])",
      "names a user before the host", remedy: "leave the user out, and give it by \(Setting.credentials)")
  }

  /// A host with or without a port; an IPv6 address is in brackets.
  private static func isPlace(_ text: Substring) -> Bool {
    if text.hasPrefix("["), let end = text.firstIndex(of: "]") {
      let (host, rest) = (text[text.index(after: text.startIndex)..<end], text[text.index(after: end)...])
      return host.contains(":") && host.allSatisfy { $0.isHexDigit || ":.".contains($0) }
        && (rest.isEmpty || rest.hasPrefix(":") && portNumber(rest.dropFirst()) != nil)
    }
    let parts = text.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
    return isHost(parts[0]) && (parts.count == 1 || portNumber(parts[1]) != nil)
  }

  private static func isOfURLs(_ byte: UInt8) -> Bool {
    33...126 ~= byte && !"\"<>\\^`{|}".utf8.contains(byte)
  }
}
