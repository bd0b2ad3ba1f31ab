import Foundation

/// Makes a folder for results, or takes one that is empty.
///
/// - Parameter beside: names that may be there.
/// - Throws: `InputError` naming the option if the folder holds something or cannot be made.
package func makeEmptyFolder(_ url: URL, option: String, beside: Set<String> = []) throws {
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

/// Finds out, without making anything, whether `makeEmptyFolder` could make a folder for results.
///
/// - Throws: as that does.
package func requireNewFolder(_ url: URL, option: String) throws {
  try requireEmptyFolder(url, option: option, beside: [])
}

private func unusable(_ folder: URL, _ what: String, _ code: Int32, _ option: String) -> InputError {
  InputError("\(folder.path): \(what)\(readOnlyDisk(code)); give a folder for \(option) that you may write to.")
}

/// The system's code for why a folder, or the lowest one above it that is there, may not be written to; 0 where it may.
private func codeOfUsing(_ folder: URL) -> Int32 {
  var holder = folder.standardizedFileURL
  var isFolder: ObjCBool = false
  while !FileManager.default.fileExists(atPath: holder.path, isDirectory: &isFolder), holder.path != "/" {
    holder = holder.deletingLastPathComponent()
  }
  return isFolder.boolValue ? codeOfEntering(holder) : ENOTDIR
}

/// - Throws: as `makeEmptyFolder` for what is there.
package func requireEmptyFolder(_ url: URL, option: String, beside: Set<String>) throws {
  let manager = FileManager.default
  var isFolder: ObjCBool = false
  guard manager.fileExists(atPath: url.path, isDirectory: &isFolder) else {
    return try requireMakeable(url, option: option)
  }
  guard isFolder.boolValue else {
    throw InputError("\(url.path): is a file; give a folder for \(option).")
  }
  let code = access(url.path, R_OK | W_OK | X_OK) == 0 ? 0 : errno
  guard code == 0 else { throw unusable(url, "cannot be written to", code, option) }
  let contents = (try? manager.contentsOfDirectory(atPath: url.path)) ?? []
  guard contents.allSatisfy({ $0.hasPrefix(".") || beside.contains($0) }) else {
    throw InputError("\(url.path): is not empty; give a new folder for \(option), or delete this one first.")
  }
}

/// - Throws: `InputError` for a folder that could not be made, since what is to hold it is a file, or not to be written to.
package func requireMakeable(_ url: URL, option: String) throws {
  let code = codeOfUsing(url.standardizedFileURL.deletingLastPathComponent())
  guard code == 0 else { throw unusable(url, "cannot be made", code, option) }
}
