import ArgumentParser

/// The address and port that a server listens on.
struct ListenAddress {
  /// A name, or an IPv4 or IPv6 address.
  let host: String
  /// A port; 0 takes a free one.
  let port: Int

  /// - Throws: `ValidationError` for words that are no address.
  init(_ words: String) throws {
    let match = words.wholeMatch(of: /(?:\[([0-9A-Fa-f:.]+)\]|([A-Za-z0-9.\-]+)):(\d{1,5})/)
    guard let match, let port = Int(match.3), port <= 65535 else {
      throw ValidationError(
        "--listen \(words): expected an address and a port, such as 127.0.0.1:8000 or [::1]:8000.")
    }
    (host, self.port) = (String(match.1 ?? match.2!), port)
  }

  /// The address with the port that was taken.
  func text(port: Int) -> String { (host.contains(":") ? "[\(host)]" : host) + ":\(port)" }
}
