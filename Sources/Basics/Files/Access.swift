package import Foundation

/// Returns the refusal of a file or folder that this user may not read; nil for anything else.
///
/// A path behind a folder that may not be searched counts, whether or not the file exists.
package func accessDenial(of url: URL, _ kind: Refusal.Kind = .file) -> Refusal? {
  var status = stat()
  let isFound = stat(url.path, &status) == 0
  if isFound {
    let isFolder = status.st_mode & S_IFMT == S_IFDIR
    if access(url.path, isFolder ? R_OK | X_OK : R_OK) == 0 { return nil }
  }
  guard errno == EACCES else { return nil }
  let whose = isFound ? "its permissions" : "the permissions of the folders that it lies in"
  return Refusal(
    kind, url.path, "may not be read (\(String(cString: strerror(EACCES))))", remedy: "change \(whose)")
}

/// Throws `Refusal` if a file or folder may not be read; a missing one passes.
package func requireAccess(to url: URL) throws {
  if let denial = accessDenial(of: url) { throw denial }
}
