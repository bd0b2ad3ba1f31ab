import Basics
package import Foundation

/// The secret that requests must carry.
struct Token: Sendable {
  private let digest: Data
  let text: String

  init(_ text: String) { (self.text, digest) = (text, SHA256.digest(text)) }

  /// Tells whether an Authorization header carries the token.
  func isGiven(by header: String?) -> Bool {
    guard let header, header.lowercased().hasPrefix("bearer ") else { return false }
    return isEqual(to: String(header.dropFirst("bearer ".count)))
  }

  /// Compares digests to their end, so that the time tells nothing of the token.
  func isEqual(to other: String) -> Bool {
    zip(digest, SHA256.digest(other)).reduce(UInt8(0)) { $0 | ($1.0 ^ $1.1) } == 0
  }
}

/// Reads the token of a server from a file.
///
/// - Throws: `Refusal` for a file that others may read, or that does not hold one line of 16 to 1024 characters.
package func readToken(_ file: URL) throws -> String {
  try requireAccess(to: file)
  guard let data = contents(ofRegularFile: file) else {
    throw Refusal(.input, file.path, "there is no such file", remedy: "write the token to a file of its own")
  }
  let mode = (try? FileManager.default.attributesOfItem(atPath: file.path)[.posixPermissions] as? Int) ?? 0
  guard mode & 0o077 == 0 else {
    throw Refusal(.input, file.path, "others than its owner may read the token", remedy: "run chmod 600 on it")
  }
  let text = String(decoding: data, as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines)
  guard (16...1024).contains(text.utf8.count), text.utf8.allSatisfy({ 33...126 ~= $0 }) else {
    throw Refusal(
      .input, file.path, "holds no token", detail: "expected one line of 16 to 1024 characters without blanks",
      remedy: "make one, for example by: openssl rand -hex 32")
  }
  return text
}
