import Foundation

/// A file or folder that could not be read or written; `description` is one sentence for the user.
public struct FileError: Error, CustomStringConvertible, Equatable {
  public let description: String

  public init(_ description: String) { self.description = description }
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
    throw FileError("\(url.path): cannot be written (\(String(cString: strerror(errno)))); choose another output.")
  }
  close(descriptor)
  do {
    try body(temporary)
    try sync(temporary)
    guard rename(temporary.path, url.path) == 0 else {
      throw FileError("\(url.path): cannot be written (\(String(cString: strerror(errno)))); choose another output.")
    }
  } catch {
    try? FileManager.default.removeItem(at: temporary)
    throw error
  }
  try? sync(folder)  // makes the new name itself durable; some file systems refuse it
}

/// `writeAtomically` for contents at hand.
public func writeAtomically(_ data: Data, to url: URL) throws {
  try writeAtomically(to: url) { temporary in
    do {
      try data.write(to: temporary)
    } catch {
      throw FileError("\(url.path): cannot be written (\(reason(error))); choose another output.")
    }
  }
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

private func sync(_ url: URL) throws {
  let descriptor = open(url.path, O_RDONLY)
  guard descriptor >= 0 else { throw FileError("\(url.path): \(String(cString: strerror(errno))).") }
  defer { close(descriptor) }
  guard fsync(descriptor) == 0 else {
    throw FileError("\(url.path): cannot be synced to disk (\(String(cString: strerror(errno)))).")
  }
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
