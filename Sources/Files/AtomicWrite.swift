import Foundation

/// A file or folder that could not be read or written; `description` is one sentence for the user.
public struct FileError: Error, CustomStringConvertible, Equatable {
  public let description: String

  public init(_ description: String) { self.description = printable(description) }
}

/// Writes a file so that readers see the old contents or the new, never a part: `body` writes to a temporary
/// file beside `url` (same extension), which is then synced and renamed. On any error the temporary file is removed.
///
/// - Throws: what `body` throws, or `FileError` if the file cannot be written.
public func writeAtomically(to url: URL, _ body: (URL) throws -> Void) throws {
  let folder = url.deletingLastPathComponent()
  try makeFolder(folder)
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

/// `writeAtomically` for libraries that say only that they failed: a full disk is told as one.
///
/// - Parameter refusal: of any other failure, from what `body` threw.
public func writeAtomically(to url: URL, _ body: (URL) throws -> Void, refusal: (any Error) -> any Error) throws {
  try writeAtomically(to: url) { temporary in
    do {
      try body(temporary)
    } catch let error where !(error is FileError) {
      let code = codeOfGrowing(temporary)
      throw isOfRoom(code) ? unwritable(url, code) : refusal(error)
    }
  }
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

/// Finds out whether a disk has room for a file, by making one of that size in the place where a library is to write it.
///
/// - Parameters:
///   - url: named by the refusal.
///   - temporary: to be removed by the caller, whatever comes of it.
/// - Throws: `FileError` where there is none.
public func requireRoom(for bytes: Int, of url: URL, at temporary: URL) throws {
  #if os(Linux)  // elsewhere the library finds out
    let descriptor = open(temporary.path, O_WRONLY | O_CREAT | O_CLOEXEC, 0o666)
    guard descriptor >= 0 else { throw unwritable(url, errno) }
    defer { close(descriptor) }
    let code = posix_fallocate(descriptor, 0, off_t(bytes))
    // Other codes are of file systems that cannot tell.
    if isOfRoom(code) { throw unwritable(url, code) }
  #endif
}

/// Finds out, without making anything, whether a file could be written.
///
/// - Throws: `FileError` where a folder has its name, its folder could not be made, or that may not be written to.
public func requireWritable(_ file: URL) throws {
  var isFolder: ObjCBool = false
  let manager = FileManager.default
  if manager.fileExists(atPath: file.path, isDirectory: &isFolder), isFolder.boolValue {
    throw unwritable(file, EISDIR)
  }
  var folder = file.deletingLastPathComponent().standardizedFileURL
  while !manager.fileExists(atPath: folder.path, isDirectory: &isFolder), folder.path != "/" {
    folder.deleteLastPathComponent()
  }
  guard isFolder.boolValue else {
    throw FileError("\(folder.path): this folder cannot be made\(phrase(EEXIST)).")
  }
  guard access(folder.path, W_OK | X_OK) == 0 else { throw unwritable(folder, errno) }
}

/// Makes a folder, with those that it lies in, or finds it there.
///
/// - Throws: `FileError` if it cannot be made.
public func makeFolder(_ url: URL) throws {
  do {
    try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
  } catch {
    // Foundation does not always say why; the system does.
    guard mkdir(url.path, 0o777) != 0 else { return }
    let code = errno
    throw FileError("\(url.path): this folder cannot be made\(phrase(systemCode(of: error) ?? code)).")
  }
}

/// The refusal of a file that cannot be written, by the system's error code.
///
/// - Parameter remark: to be added in brackets.
public func unwritable(_ url: URL, _ code: Int32, remark: String? = nil) -> FileError {
  FileError("\(url.path): cannot be written\(phrase(code))\(remark.map { " (\($0))" } ?? "").")
}

/// The reason and what to do, as the end of a sentence.
private func phrase(_ code: Int32) -> String {
  let words = String(cString: strerror(code))
  switch code {
  case ENOSPC, EDQUOT: return ", since its disk is full (\(words)); make room for it on its disk"
  case EFBIG: return " (\(words)); make room for it on its disk"
  default: return " (\(words)); choose another output"
  }
}

private func isOfRoom(_ code: Int32) -> Bool { [ENOSPC, EDQUOT, EFBIG].contains(code) }

/// The system's code for why a file cannot grow by a mebibyte, which a file that is thrown away is tried with; 0 where it can.
private func codeOfGrowing(_ file: URL) -> Int32 {
  let descriptor = open(file.path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o666)
  guard descriptor >= 0 else { return errno }
  defer { close(descriptor) }
  return [UInt8](repeating: 0, count: 1 << 20).withUnsafeBytes { writeAll($0, to: descriptor) } ? 0 : errno
}

/// The system's code of an error of Foundation, which hides it two levels down.
private func systemCode(of error: any Error) -> Int32? {
  if let posix = (error as NSError).userInfo[NSUnderlyingErrorKey] as? NSError, posix.domain == NSPOSIXErrorDomain {
    return Int32(posix.code)
  }
  return (error as? POSIXError)?.code.rawValue
}
