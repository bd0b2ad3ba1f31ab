package import Foundation

/// Names that messages give to paths, such as a server's address for the temporary folder of a series from there.
package enum PathNames {
  private static let lock = NSLock()
  nonisolated(unsafe) private static var names: [String: String] = [:]  // guarded by `lock`

  /// Gives a folder a name in place of an earlier one. Its numbered files, `000007.dcm`, are then `NAME, image 7`.
  package static func give(_ name: String, to folder: URL) {
    lock.withLock {
      for path in [folder.path, folder.resolvingSymlinksInPath().path] { names[path] = name }
    }
  }

  /// A sentence with names in place of their paths.
  static func replacingPaths(in sentence: String) -> String {
    lock.withLock { names }.reduce(sentence) { replacing($1.key, by: $1.value, in: $0) }
  }

  private static func replacing(_ path: String, by name: String, in sentence: String) -> String {
    var (result, rest) = ("", sentence[...])
    while let found = rest.range(of: path) {
      result += rest[..<found.lowerBound] + name
      rest = rest[found.upperBound...]
      if let file = rest.prefixMatch(of: /\/0*([0-9]+)\.dcm/) {
        result += ", image \(file.1)"
        rest = rest[file.range.upperBound...]
      }
    }
    return result + rest
  }
}
