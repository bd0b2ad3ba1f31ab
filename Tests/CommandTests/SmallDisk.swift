import Foundation
import Testing

/// A disk that can be full: a tmpfs of a few MiB if this process may mount one, as root on Linux.
///
/// Elsewhere it is a folder, and `dualnorm` limits the size of files that its commands write.
final class SmallDisk {
  private let parent: TemporaryFolder
  let isReal: Bool
  /// The limits for the next commands, in place of a full disk.
  private var limits: String?

  init(mebibytes: Int = 12) throws {
    parent = try TemporaryFolder()
    let place = parent.file("disk").path
    try FileManager.default.createDirectory(atPath: place, withIntermediateDirectories: true)
    #if os(Linux)
      isReal = mount("tmpfs", place, "tmpfs", 0, "size=\(mebibytes)m") == 0
    #else
      isReal = false
    #endif
    print(isReal ? "a tmpfs that is full" : "files that may not grow: no tmpfs can be mounted here")
  }

  deinit {
    #if os(Linux)
      // Detaches at once, even if in use.
      if isReal { umount2(folder.path, Int32(MNT_DETACH)) }
    #endif
  }

  var folder: URL { parent.file("disk") }

  func file(_ path: String) -> URL { folder.appendingPathComponent(path) }

  /// Fills the disk except for some pages of 4 KiB.
  func fill(leaving pages: Int) throws {
    // A limit of 0 would silence the error message, too.
    guard isReal else {
      limits = "trap '' XFSZ && ulimit -f \(max(1, 4 * pages))"
      return
    }
    #if os(Linux)
      try makeRoom()
      var status = statvfs()
      try #require(statvfs(folder.path, &status) == 0)
      let free = Int(status.f_bavail) * Int(status.f_frsize) - pages * 4096
      let descriptor = open(ballast.path, O_WRONLY | O_CREAT, 0o600)
      defer { close(descriptor) }
      try #require(posix_fallocate(descriptor, 0, off_t(free)) == 0)
    #endif
  }

  /// Prevents all writing, even by root: a read-only mount, or elsewhere a folder without write access.
  ///
  /// - Returns: false if that is impossible, as for root without the right to mount.
  func lock() throws -> Bool {
    #if os(Linux)
      if isReal { return mount("tmpfs", folder.path, "tmpfs", UInt(MS_REMOUNT | MS_RDONLY), nil) == 0 }
    #endif
    try FileManager.default.setAttributes([.posixPermissions: 0o555], ofItemAtPath: folder.path)
    return geteuid() != 0
  }

  /// The reason that refusals give for a locked disk.
  var reasonOfLock: String { isReal ? ", since its disk is read-only" : "" }

  func makeRoom() throws {
    limits = nil
    if FileManager.default.fileExists(atPath: ballast.path) { try FileManager.default.removeItem(at: ballast) }
  }

  private var ballast: URL { file("ballast") }

  /// Runs a command with the current room.
  func dualnorm(_ arguments: [String], output: URL? = nil) throws -> (status: Int32, output: String, errors: String) {
    let redirection = output.map { "exec >'\($0.path)'" }
    let before = [limits, redirection].compactMap { $0 }.joined(separator: " && ")
    guard !before.isEmpty else { return try CommandTests.dualnorm(arguments) }
    return try CommandTests.dualnorm(arguments, limits: before)
  }

  /// The contents of the disk.
  var contents: [String] { CommandTests.contents(of: folder).filter { $0 != "ballast" } }

  /// The end of the refusal of a file without room.
  var refusal: String {
    (isReal
      ? "cannot be written, since its disk is full (No space left on device)" : "cannot be written (File too large)")
      + "; make room for it on its disk"
  }

  /// Expects one sentence that names a file on this disk, and no incomplete file.
  ///
  /// - Returns: the file's path below `folder`; nil for another sentence.
  func refusedFile(
    _ result: (status: Int32, output: String, errors: String), _ location: SourceLocation = #_sourceLocation
  ) -> String? {
    #expect(result.status == 1 && result.output == "", sourceLocation: location)
    #expect(!contents.contains { $0.contains(".partial-") }, sourceLocation: location)
    let (start, ends) = (
      "Error: \(folder.path)/", [".\n", " (the last checkpoint is intact).\n"].map { ": " + refusal + $0 }
    )
    let errors = messagesBesideWarnings(result.errors)
    let end = ends.first { errors.hasSuffix($0) }
    guard let end, errors.hasPrefix(start) else {
      Issue.record("\(result.errors)", sourceLocation: location)
      return nil
    }
    return String(errors.dropFirst(start.count).dropLast(end.count))
  }
}
