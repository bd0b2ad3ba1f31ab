package import Foundation

/// Creates a folder for results, or accepts an empty one.
///
/// - Parameter beside: names that the folder may already hold.
/// - Throws: `Refusal` naming the option if the folder is not empty, cannot be made or cannot be written to.
package func makeEmptyFolder(_ url: URL, option: Setting, beside: Set<String> = []) throws {
  let manager = FileManager.default
  if manager.fileExists(atPath: url.path) {
    try requireEmptyFolder(url, option: option, beside: beside)
  } else {
    let code = codeOfMaking(url)
    guard code == 0 else { throw unusable(url, "cannot be made", code, option) }
  }
  let code = codeOfEntering(url)
  guard code == 0 else { throw unusable(url, "cannot be written to", code, option) }
}

/// Checks whether `makeEmptyFolder` could create a folder for results, without creating anything.
///
/// - Throws: the errors of `makeEmptyFolder`.
package func requireNewFolder(_ url: URL, option: Setting) throws {
  try requireEmptyFolder(url, option: option, beside: [])
}

private func unusable(_ folder: URL, _ what: String, _ code: Int32, _ option: Setting) -> Refusal {
  Refusal(
    .input, folder.path, "\(what)\(readOnlyDisk(code))", remedy: "give a folder for \(option) that you may write to")
}

/// The system's error code for why a folder, or its lowest existing parent, may not be written to; 0 if it may.
private func codeOfUsing(_ folder: URL) -> Int32 {
  var holder = folder.standardizedFileURL
  var isFolder: ObjCBool = false
  while !FileManager.default.fileExists(atPath: holder.path, isDirectory: &isFolder), holder.path != "/" {
    holder = holder.deletingLastPathComponent()
  }
  return isFolder.boolValue ? codeOfEntering(holder) : ENOTDIR
}

/// - Throws: the errors of `makeEmptyFolder`, for an existing folder or one that could not be made.
package func requireEmptyFolder(_ url: URL, option: Setting, beside: Set<String>) throws {
  let manager = FileManager.default
  var isFolder: ObjCBool = false
  guard manager.fileExists(atPath: url.path, isDirectory: &isFolder) else {
    return try requireMakeable(url, option: option)
  }
  guard isFolder.boolValue else {
    throw Refusal(.input, url.path, "is a file", remedy: "give a folder for \(option)")
  }
  let code = access(url.path, R_OK | W_OK | X_OK) == 0 ? 0 : errno
  guard code == 0 else { throw unusable(url, "cannot be written to", code, option) }
  let contents = (try? manager.contentsOfDirectory(atPath: url.path)) ?? []
  guard contents.allSatisfy({ $0.hasPrefix(".") || beside.contains($0) }) else {
    throw Refusal(.input, url.path, "is not empty", remedy: "give a new folder for \(option), or delete this one first")
  }
}

/// - Throws: `Refusal` if the folder could not be made: its parent is a file or may not be written to.
package func requireMakeable(_ url: URL, option: Setting) throws {
  let code = codeOfUsing(url.standardizedFileURL.deletingLastPathComponent())
  guard code == 0 else { throw unusable(url, "cannot be made", code, option) }
}
