package import Foundation

/// A lock that keeps other processes out of a folder while this one works in it.
///
/// It locks the file `.lock` in the folder, which names the holder. The system releases the lock when the process
/// ends for any reason. The file left by a killed process is taken over.
package final class FolderLock: Sendable {
  private let file: URL
  private let descriptor: Int32

  /// - Throws: `Refusal` if another process or another part of this one holds the lock, or the folder cannot be
  ///   written to. Also if `.lock` is a link or not a regular file: writing through it would overwrite another file.
  package init(_ folder: URL) throws {
    file = folder.appendingPathComponent(Self.fileName)
    descriptor = try Self.acquire(file, in: folder)
    let owner = Data("\(getpid()) \(Self.hostName)\n".utf8)
    // The contents serve messages only, so a full disk does not matter.
    if ftruncate(descriptor, 0) == 0 { _ = owner.withUnsafeBytes { pwrite(descriptor, $0.baseAddress, $0.count, 0) } }
  }

  deinit {
    // Unlink while holding the lock, so that no other process locks a file about to vanish.
    if Self.isStill(file, descriptor) { unlink(file.path) }
    close(descriptor)
  }

  package static let fileName = ".lock"

  private static var hostName: String {
    var name = [CChar](repeating: 0, count: 256)
    guard gethostname(&name, name.count - 1) == 0 else { return "this-machine" }
    return String(decoding: name.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }

  private static func acquire(_ file: URL, in folder: URL) throws -> Int32 {
    while true {
      let path = file.path
      let descriptor = open(path, O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0o666)
      let code = errno
      guard descriptor >= 0 else {
        if code == ELOOP { throw notOwn(path) }
        throw Refusal(
          .file, folder.path, "cannot be written to (\(String(cString: strerror(code))))",
          remedy: "give a folder that you may write to")
      }
      var status = stat()
      guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG, status.st_nlink < 2 else {
        close(descriptor)
        throw notOwn(path)
      }
      // Any other failure means a file system without locks.
      let isTaken = flock(descriptor, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK
      if !isTaken, isStill(file, descriptor) { return descriptor }
      defer { close(descriptor) }
      if isTaken { throw inUse(folder, descriptor) }
      // The previous holder has just removed the file; try again.
    }
  }

  /// Tells whether the name still leads to the open file.
  private static func isStill(_ file: URL, _ descriptor: Int32) -> Bool {
    var (opened, named) = (stat(), stat())
    return fstat(descriptor, &opened) == 0 && lstat(file.path, &named) == 0 && opened.st_ino == named.st_ino
      && opened.st_dev == named.st_dev
  }

  private static func notOwn(_ path: String) -> Refusal {
    Refusal(.file, path, "is a link or no regular file, where the folder's lock is kept", remedy: "delete it")
  }

  private static func inUse(_ folder: URL, _ descriptor: Int32) -> Refusal {
    var bytes = [UInt8](repeating: 0, count: 300)
    let count = max(0, pread(descriptor, &bytes, bytes.count, 0))
    let words = String(decoding: bytes.prefix(count), as: UTF8.self).split(whereSeparator: \.isWhitespace)
    let owner = words.count == 2 ? "process \(words[0]) on \(words[1])" : "another process"
    return Refusal(.file, folder.path, "\(owner) is working in it", remedy: "wait until that has ended, or stop it")
  }
}
