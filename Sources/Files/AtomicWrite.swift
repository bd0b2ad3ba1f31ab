import Foundation

/// A file or folder that could not be read or written; `description` is one sentence for the user.
public struct FileError: Error, CustomStringConvertible, Equatable {
  public let description: String

  public init(_ description: String) { self.description = printable(description) }
}

/// Writes a file so that readers see the old contents or the new, never a part: `body` writes to a temporary
/// file beside `url` (same extension), which is then synced and renamed. On any error the temporary file is removed.
///
/// - Throws: what `body` throws, or `FileError` if the folder cannot be written.
public func writeAtomically(to url: URL, _ body: (URL) throws -> Void) throws {
  let folder = url.deletingLastPathComponent()
  do {
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
  } catch {
    throw FileError("\(folder.path): this folder cannot be made (\(reason(error))); choose another output.")
  }
  let temporary = folder.appendingPathComponent(
    "\(partialPrefix)\(ProcessInfo.processInfo.processIdentifier)-\(url.lastPathComponent)")
  // Not by FileManager, which makes a temporary file of its own first.
  let descriptor = open(temporary.path, O_WRONLY | O_CREAT | O_TRUNC, 0o666)
  guard descriptor >= 0 else {
    throw unwritable(url, errno)
  }
  close(descriptor)
  do {
    try body(temporary)
    guard sync(temporary) else { throw unwritable(url, errno) }
    guard rename(temporary.path, url.path) == 0 else {
      throw unwritable(url, errno)
    }
  } catch {
    try? FileManager.default.removeItem(at: temporary)
    throw error
  }
  _ = sync(folder)  // makes the new name itself durable; some file systems refuse it
}

/// `writeAtomically` for contents at hand.
public func writeAtomically(_ data: Data, to url: URL) throws {
  // Not Data's own, whose errors lose the system's code.
  try writeAtomically(to: url) { temporary in
    let descriptor = open(temporary.path, O_WRONLY)
    guard descriptor >= 0 else { throw unwritable(url, errno) }
    defer { close(descriptor) }
    guard data.withUnsafeBytes({ writeAll($0, to: descriptor) }) else { throw unwritable(url, errno) }
  }
}

/// Whether all bytes were written to an open file; else `errno` says why not.
public func writeAll(_ bytes: UnsafeRawBufferPointer, to descriptor: Int32) -> Bool {
  var done = 0
  while done < bytes.count {
    let count = write(descriptor, bytes.baseAddress! + done, bytes.count - done)
    if count > 0 { done += count } else if errno != EINTR { return false }
  }
  return true
}

/// Removes what killed processes left of `writeAtomically` in a folder, not in the folders in it.
public func removePartialFiles(in folder: URL) throws {
  for name in (try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? [] where isPartialFile(name) {
    try FileManager.default.removeItem(at: folder.appendingPathComponent(name))
  }
}

/// Whether `writeAtomically` gives its temporary files such names.
public func isPartialFile(_ name: String) -> Bool { name.hasPrefix(partialPrefix) }

private let partialPrefix = ".partial-"

/// Whether the file, or the names in the folder, are on the disk; else `errno` says why not.
private func sync(_ url: URL) -> Bool {
  let descriptor = open(url.path, O_RDONLY)
  guard descriptor >= 0 else { return false }
  let isSynced = fsync(descriptor) == 0
  let code = errno
  close(descriptor)
  errno = code
  return isSynced
}

/// The refusal of a file that cannot be written, by the system's error code.
private func unwritable(_ url: URL, _ code: Int32) -> FileError {
  let advice = [ENOSPC, EDQUOT, EFBIG].contains(code) ? "make room for it on its disk" : "choose another output"
  return FileError("\(url.path): cannot be written (\(String(cString: strerror(code)))); \(advice).")
}

/// The system's words for an error of Foundation, which hides them two levels down.
private func reason(_ error: any Error) -> String {
  let cocoa = error as NSError
  if let posix = cocoa.userInfo[NSUnderlyingErrorKey] as? NSError, posix.domain == NSPOSIXErrorDomain {
    return String(cString: strerror(Int32(posix.code)))
  }
  if let posix = error as? POSIXError { return String(cString: strerror(posix.code.rawValue)) }
  return cocoa.localizedDescription
}
