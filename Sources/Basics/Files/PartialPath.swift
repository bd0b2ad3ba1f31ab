package import Foundation

/// A new file or folder under an unpredictable temporary name, renamed once its contents are complete.
///
/// It stays locked while this object lives. Its name identifies the machine and the process. Both tell
/// `removePartialFiles` the remains of a killed process from the files that another process is writing.
package final class PartialPath {
  package let url: URL
  private let descriptor: Int32
  private var hasItsName = false

  /// Creates a temporary file beside `target`, and the folder if it is missing.
  ///
  /// - Parameter ending: the extension without its dot, if it differs from that of `target`; libraries go by it.
  /// - Throws: `Refusal` naming `target` if it cannot be made.
  package convenience init(file target: URL, ending: String? = nil) throws {
    let ending = (ending ?? target.pathExtension).lowercased()
    // A long extension could exceed the longest name that the file system takes.
    try self.init(beside: target, ending: ending.isEmpty || ending.utf8.count > 12 ? "" : ".\(ending)") {
      open($0, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0o666)
    }
  }

  /// Creates a temporary folder beside `target`.
  ///
  /// - Throws: `Refusal` naming `target` if it cannot be made.
  package convenience init(folder target: URL) throws {
    // Clean up every time: the remains of a folder are many files.
    removePartialFiles(in: target.deletingLastPathComponent())
    try self.init(beside: target, ending: "") {
      guard mkdir($0, 0o777) == 0 else { return -1 }
      let descriptor = open($0, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
      // Somebody who cleans up may have removed it, since nobody had locked it: another name is tried.
      if descriptor < 0, errno == ENOENT { errno = EEXIST }
      return descriptor
    }
  }

  private init(beside target: URL, ending: String, make: (String) -> Int32) throws {
    let folder = target.deletingLastPathComponent()
    try makeFolder(folder)
    SweptFolders.sweep(folder)
    while true {
      let url = folder.appendingPathComponent(PartialName().text + ending)
      let path = url.path
      let descriptor = make(path)
      let code = errno
      if descriptor < 0, code == EEXIST { continue }
      guard descriptor >= 0 else { throw unwritable(target, code) }
      // Another process may remove it as abandoned before it is locked. Other errors mean a file system without locks.
      let isTaken = flock(descriptor, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK
      if !isTaken, leads(path, to: descriptor) {
        (self.url, self.descriptor) = (url, descriptor)
        return
      }
      close(descriptor)
    }
  }

  deinit {
    if !hasItsName, leads(url.path, to: descriptor) { try? FileManager.default.removeItem(at: url) }
    close(descriptor)
  }

  /// Syncs the contents to disk and renames them to `target`, replacing an existing file.
  ///
  /// - Throws: `Refusal` naming `target`.
  package func rename(to target: URL) throws {
    guard fsync(descriptor) == 0 else { throw unwritable(target, errno) }
    let (source, path) = (url.path, target.path)
    guard leads(source, to: descriptor) else {
      throw Refusal(
        .file, path, "was replaced by another file while it was written",
        remedy: "choose a folder that nobody else writes to")
    }
    guard Foundation.rename(source, path) == 0 else { throw unwritable(target, errno) }
    hasItsName = true
    // Makes the new name itself durable.
    syncFolder(target.deletingLastPathComponent().path)
  }

  /// Sets the permissions; ignores file systems without any.
  package func setMode(_ mode: mode_t) { _ = fchmod(descriptor, mode) }

  /// Appends bytes; on false, `errno` has the reason.
  func write(_ bytes: UnsafeRawBufferPointer) -> Bool { writeAll(bytes, to: descriptor) }
}

/// The name of a `PartialPath` without its extension: machine, process and a random number.
struct PartialName {
  static let prefix = ".partial-"
  /// A hash of the machine's name and id.
  ///
  /// A network share also holds files of other machines, whose processes cannot be checked from here.
  static let machine: String = {
    var name = [CChar](repeating: 0, count: 256)
    gethostname(&name, name.count - 1)
    let host = name.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }
    let number = contents(ofRegularFile: URL(fileURLWithPath: "/etc/machine-id")) ?? Data()
    let hash = (host + number).reduce(0xCBF2_9CE4_8422_2325 as UInt64) { ($0 ^ UInt64($1)) &* 0x100_0000_01B3 }
    return hexadecimal(hash)
  }()
  /// The process id; 0 in a container, whose process ids mean nothing outside it.
  static let ownProcess: pid_t = {
    #if os(Linux)
      let own = try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/ns/pid")
      return own == "pid:[4026531836]" ? getpid() : 0  // number of the initial namespace in every kernel
    #else
      return getpid()
    #endif
  }()

  let text: String
  let process: pid_t

  init(process: pid_t = ownProcess) {
    self.process = process
    text = "\(Self.prefix)\(Self.machine)-\(process)-\(Self.hexadecimal(UInt64.random(in: 0...UInt64.max)))"
  }

  /// Parses a name; nil unless this machine made it.
  init?(_ text: String) {
    let words = text.split(separator: "-", maxSplits: 3)
    guard text.hasPrefix(Self.prefix), words.count == 4, words[1] == Self.machine, let process = pid_t(words[2]) else {
      return nil
    }
    (self.text, self.process) = (text, process)
  }

  private static func hexadecimal(_ number: UInt64) -> String {
    let digits = String(number, radix: 16)
    return String(repeating: "0", count: 16 - digits.count) + digits
  }
}

/// Tells whether a file has the name of a `PartialPath`, from any machine and version.
package func isPartialFile(_ name: String) -> Bool { name.hasPrefix(PartialName.prefix) }

/// Removes the `PartialPath`s that this user's killed processes on this machine left in a folder; skips subfolders.
package func removePartialFiles(in folder: URL) {
  for name in (try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? [] where isPartialFile(name) {
    removePartialFile(folder.appendingPathComponent(name))
  }
}

/// Removes a `PartialPath` that a killed process left, and nothing else.
package func removePartialFile(_ url: URL) {
  guard let name = PartialName(url.lastPathComponent) else { return }
  let path = url.path
  let flags = O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC
  // Network file systems lock only files open for writing.
  var descriptor = open(path, O_RDWR | flags)
  if descriptor < 0 { descriptor = open(path, O_RDONLY | flags) }
  guard descriptor >= 0 else { return }
  defer { close(descriptor) }
  var status = stat()
  guard fstat(descriptor, &status) == 0, status.st_uid == geteuid(),
    [S_IFREG, S_IFDIR].contains(status.st_mode & S_IFMT)
  else { return }
  // The lock decides, even if the process id was reused. The id decides only on file systems without locks.
  if flock(descriptor, LOCK_EX | LOCK_NB) != 0 {
    guard errno != EWOULDBLOCK, name.process > 0, kill(name.process, 0) != 0, errno == ESRCH else { return }
  }
  if leads(path, to: descriptor) { try? FileManager.default.removeItem(at: url) }
}

/// Tells whether a path still leads to an open file directly, not through a link.
private func leads(_ path: String, to descriptor: Int32) -> Bool {
  var (opened, named) = (stat(), stat())
  return fstat(descriptor, &opened) == 0 && lstat(path, &named) == 0 && opened.st_ino == named.st_ino
    && opened.st_dev == named.st_dev
}

/// The folders that this process has already cleaned, each once: some hold very many files.
private enum SweptFolders {
  private static let lock = NSLock()
  nonisolated(unsafe) private static var paths: Set<String> = []  // guarded by `lock`

  static func sweep(_ folder: URL) {
    if lock.withLock({ paths.insert(folder.path).inserted }) { removePartialFiles(in: folder) }
  }
}
