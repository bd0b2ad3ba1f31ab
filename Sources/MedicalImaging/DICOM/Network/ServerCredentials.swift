import Basics
package import Foundation

/// The user and password, or the token, by which a DICOMweb server knows this program's user.
package enum ServerCredentials: Sendable {
  case password(user: String, password: String)
  case token(String)

  /// Reads a file of one line: `USER:PASSWORD`, or `Bearer TOKEN`.
  ///
  /// - Throws: `Refusal` that never holds what the file does. Also for a file that others than its owner may read.
  package init(contentsOf file: URL) throws {
    func refusal(_ found: String, _ remedy: String) -> Refusal {
      Refusal(.input, "\(Setting.credentials) \(file.path)", found, remedy: remedy)
    }
    try requireAccess(to: file)
    var status = stat()
    guard stat(file.path, &status) == 0, let bytes = contents(ofRegularFile: file) else {
      throw refusal("is no file that can be read", "give a file with one line, USER:PASSWORD or Bearer TOKEN")
    }
    guard status.st_mode & 0o044 == 0 else {
      throw refusal("may be read by others", "change that: chmod 600 \(file.path)")
    }
    guard let line = Self.line(bytes), let credentials = Self(line) else {
      throw refusal("does not hold one line, USER:PASSWORD or Bearer TOKEN", "write it so")
    }
    self = credentials
  }

  private static func line(_ bytes: Data) -> String? {
    guard bytes.count <= 1 << 16, let text = String(data: bytes, encoding: .utf8) else { return nil }
    let line = text.hasSuffix("\r\n") || text.hasSuffix("\n") ? String(text.dropLast()) : text
    return line.unicodeScalars.contains { $0.properties.generalCategory == .control } ? nil : line
  }

  private init?(_ line: String) {
    let bearer = "Bearer "
    if line.hasPrefix(bearer) {
      let token = line.dropFirst(bearer.count)
      guard !token.isEmpty, token.utf8.allSatisfy({ 33...126 ~= $0 }) else { return nil }
      self = .token(String(token))
      return
    }
    guard let colon = line.firstIndex(of: ":"), colon > line.startIndex else { return nil }
    self = .password(user: String(line[..<colon]), password: String(line[line.index(after: colon)...]))
  }
}
