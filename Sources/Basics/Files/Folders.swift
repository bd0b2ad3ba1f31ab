package import Foundation

/// Checks whether a file could be written, without creating anything.
///
/// - Throws: `Refusal` if the name belongs to a folder, a pipe, a socket or a device.
///   Also if the file's folder could not be created or may not be written to.
package func requireWritable(_ file: URL) throws {
  var isFolder: ObjCBool = false
  let manager = FileManager.default
  if manager.fileExists(atPath: file.path, isDirectory: &isFolder), isFolder.boolValue {
    throw unwritable(file, EISDIR)
  }
  try requireReplaceable(file)
  var folder = file.deletingLastPathComponent().standardizedFileURL
  while !manager.fileExists(atPath: folder.path, isDirectory: &isFolder), folder.path != "/" {
    folder.deleteLastPathComponent()
  }
  guard isFolder.boolValue else {
    throw refusal(of: folder, "this folder cannot be made", EEXIST)
  }
  let code = codeOfEntering(folder)
  guard code == 0 else { throw unwritable(folder, code) }
}

/// Throws `Refusal` if the name of an output file belongs to a pipe, a socket or a device, which others use.
package func requireReplaceable(_ file: URL) throws {
  var status = stat()
  guard stat(file.path, &status) == 0 else { return }
  let kind: String? =
    switch status.st_mode & S_IFMT {
    case S_IFIFO: "a pipe"
    case S_IFSOCK: "a socket"
    case S_IFCHR, S_IFBLK: "a device"
    default: nil
    }
  guard let kind else { return }
  throw Refusal(.file, file.path, "is \(kind), and only a regular file is replaced", remedy: "choose another output")
}

/// Creates a folder with its parents, or accepts an existing one.
///
/// - Throws: `Refusal` if it cannot be made.
package func makeFolder(_ url: URL) throws {
  let code = codeOfMaking(url)
  guard code == 0 else { throw refusal(of: url, "this folder cannot be made", code) }
}

/// The system's error code for why `makeFolder` cannot create a folder; 0 if it can or the folder exists.
package func codeOfMaking(_ folder: URL) -> Int32 { codeOfMaking(folder.path) }

private func codeOfMaking(_ path: String) -> Int32 {
  var status = stat()
  // Look first: a disk may refuse to make a folder that exists.
  if stat(path, &status) == 0, status.st_mode & S_IFMT == S_IFDIR { return 0 }
  let parent = (path as NSString).deletingLastPathComponent
  var code = mkdir(path, 0o777) == 0 ? 0 : errno
  if code == ENOENT, parent != path, !parent.isEmpty {
    let codeAbove = codeOfMaking(parent)
    guard codeAbove == 0 else { return codeAbove }
    code = mkdir(path, 0o777) == 0 ? 0 : errno
  }
  if code == 0 { syncFolder(parent) }
  // Another process may have made it meanwhile.
  if code == EEXIST, stat(path, &status) == 0, status.st_mode & S_IFMT == S_IFDIR { return 0 }
  return code
}

/// The system's error code for why a folder may not be written to; 0 if it may.
package func codeOfEntering(_ folder: URL) -> Int32 { access(folder.path, W_OK | X_OK) == 0 ? 0 : errno }

/// The part of an error text that blames a read-only disk; empty for any other reason.
///
/// - Parameter code: the system's error code.
package func readOnlyDisk(_ code: Int32) -> String { code == EROFS ? ", since its disk is read-only" : "" }

/// Renames a file within its disk, after its contents are synced; then its new name is synced too.
///
/// - Throws: `Refusal` naming the new place.
package func moveDurably(_ file: URL, to target: URL) throws {
  let descriptor = open(file.path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC)
  guard descriptor >= 0 else { throw unwritable(target, errno) }
  defer { close(descriptor) }
  guard fsync(descriptor) == 0, rename(file.path, target.path) == 0 else { throw unwritable(target, errno) }
  syncFolder(target.deletingLastPathComponent().path)
}

/// Syncs a folder's entries to disk; ignores file systems that refuse.
func syncFolder(_ path: String) {
  let descriptor = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
  guard descriptor >= 0 else { return }
  _ = fsync(descriptor)
  close(descriptor)
}
