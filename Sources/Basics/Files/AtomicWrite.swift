package import Foundation

/// Writes a file atomically: readers see the old contents or the new, never a part.
///
/// `body` writes to a temporary file beside `url` with the same extension. That file is then synced and renamed.
/// On any error it is removed.
///
/// - Throws: what `body` throws, or `Refusal` if the file cannot be written.
func writeAtomically(to url: URL, _ body: (URL) throws -> Void) throws {
  try writePartially(url) { try body($0.url) }
}

private func writePartially(_ url: URL, _ body: (PartialPath) throws -> Void) throws {
  try requireReplaceable(url)
  let partial = try PartialPath(file: url)
  try body(partial)
  try partial.rename(to: url)
}

/// `writeAtomically` for libraries that only report failure: this function detects a full disk itself.
///
/// - Parameter refusal: makes the error for any other failure from what `body` threw.
package func writeAtomically(to url: URL, _ body: (URL) throws -> Void, refusal: (any Error) -> any Error) throws {
  try writeAtomically(to: url) { temporary in
    do {
      try body(temporary)
    } catch let error where (error as? Refusal)?.kind != .file {
      let code = codeOfGrowing(temporary)
      throw isOfRoom(code) ? unwritable(url, code) : refusal(error)
    }
  }
}

/// `writeAtomically` for contents in memory.
package func writeAtomically(_ data: Data, to url: URL) throws { try writeAtomically([data], to: url) }

/// `writeAtomically` for contents in several pieces, which are never joined in memory.
package func writeAtomically(_ pieces: [Data], to url: URL) throws {
  // Data's own atomic write loses the system's error code.
  try writePartially(url) { partial in
    for piece in pieces {
      guard piece.withUnsafeBytes(partial.write) else { throw unwritable(url, errno) }
    }
  }
}

/// `writeAtomically` for a copy of another file, with its permissions. A symbolic link is followed.
///
/// - Throws: `Refusal` if the source is not a regular file or cannot be read, or the copy cannot be written.
package func copyAtomically(_ source: URL, to url: URL) throws {
  let descriptor = open(source.path, O_RDONLY | O_NONBLOCK | O_CLOEXEC)
  let code = errno
  guard descriptor >= 0 else { throw uncopied(source, url, code) }
  defer { close(descriptor) }
  var status = stat()
  guard fstat(descriptor, &status) == 0 else { throw uncopied(source, url, errno) }
  guard status.st_mode & S_IFMT == S_IFREG else {
    throw Refusal(
      .file, source.path, "is no regular file, and only such are copied", remedy: "take it away, or put a file there")
  }
  try writePartially(url) { partial in
    try withUnsafeTemporaryAllocation(byteCount: 1 << 20, alignment: 16) { chunk in
      while true {
        let count = read(descriptor, chunk.baseAddress, chunk.count)
        let code = errno
        if count == 0 { return }
        if count < 0, code == EINTR { continue }
        guard count > 0 else { throw uncopied(source, url, code) }
        guard partial.write(UnsafeRawBufferPointer(rebasing: chunk[..<count])) else { throw unwritable(url, errno) }
      }
    }
    partial.setMode(status.st_mode & 0o777)
  }
}

private func uncopied(_ source: URL, _ url: URL, _ code: Int32) -> Refusal {
  Refusal(
    .file, source.path, "cannot be copied to \(url.path) (\(String(cString: strerror(code))))",
    remedy: "check its permissions and its disk")
}

/// Writes all bytes to an open file; on false, `errno` has the reason.
package func writeAll(_ bytes: UnsafeRawBufferPointer, to descriptor: Int32) -> Bool {
  var done = 0
  while done < bytes.count {
    let count = write(descriptor, bytes.baseAddress! + done, bytes.count - done)
    if count > 0 { done += count } else if errno != EINTR { return false }
  }
  return true
}

/// Checks that the disk has room for a file by allocating its size in the temporary file for the library to fill.
///
/// - Parameters:
///   - url: the file named in the error.
///   - temporary: an existing file; its contents are lost.
/// - Throws: `Refusal` if there is no room.
package func requireRoom(for bytes: Int, of url: URL, at temporary: URL) throws {
  #if os(Linux)  // elsewhere the library finds out
    let descriptor = open(temporary.path, O_WRONLY | O_NOFOLLOW | O_CLOEXEC)
    guard descriptor >= 0 else { throw unwritable(url, errno) }
    defer { close(descriptor) }
    let code = posix_fallocate(descriptor, 0, off_t(bytes))
    // Other codes come from file systems that cannot tell.
    if isOfRoom(code) { throw unwritable(url, code) }
  #endif
}

/// The error for a file that cannot be written, from the system's error code.
///
/// - Parameter remark: a remark to append in parentheses.
package func unwritable(_ url: URL, _ code: Int32, remark: String? = nil) -> Refusal {
  let refusal = refusal(of: url, "cannot be written", code)
  return remark.map(refusal.remarking) ?? refusal
}

/// The refusal of an output, with the reason and the remedy that the system's error code tells.
func refusal(of url: URL, _ found: String, _ code: Int32) -> Refusal {
  let words = String(cString: strerror(code))
  let reason =
    switch code {
    case ENOSPC, EDQUOT: ", since its disk is full (\(words))"
    case EROFS: ", since its disk is read-only (\(words))"
    default: " (\(words))"
    }
  return Refusal(
    .file, url.path, found + reason, remedy: isOfRoom(code) ? "make room for it on its disk" : "choose another output")
}

private func isOfRoom(_ code: Int32) -> Bool { [ENOSPC, EDQUOT, EFBIG].contains(code) }

/// Tests whether a disposable file can grow by a mebibyte; returns 0 or the system's error code.
private func codeOfGrowing(_ file: URL) -> Int32 {
  let descriptor = open(file.path, O_WRONLY | O_APPEND | O_NOFOLLOW | O_CLOEXEC)
  guard descriptor >= 0 else { return errno }
  defer { close(descriptor) }
  return [UInt8](repeating: 0, count: 1 << 20).withUnsafeBytes { writeAll($0, to: descriptor) } ? 0 : errno
}
