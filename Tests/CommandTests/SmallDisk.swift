import Foundation
import Testing

/// A disk that can be full: a tmpfs of a few MiB where this process may mount one, as root on Linux. Elsewhere a folder, whose
/// files cannot grow beyond a limit for the commands that `dualnorm` runs.
final class SmallDisk {
  private let parent: TemporaryFolder
  let isReal: Bool
  /// For the commands to come, in place of a full disk.
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
      // At once, whatever still uses it.
      if isReal { umount2(folder.path, Int32(MNT_DETACH)) }
    #endif
  }

  var folder: URL { parent.file("disk") }

  func file(_ path: String) -> URL { folder.appendingPathComponent(path) }

  /// Leaves so much room, of pages of 4 KiB.
  func fill(leaving pages: Int) throws {
    // Where a file may not grow at all, nobody hears why.
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

  /// Lets nobody write, root neither: a disk that is mounted to be read only, or elsewhere a folder without the right.
  ///
  /// - Returns: false where that cannot be had: for root who may not mount.
  func lock() throws -> Bool {
    #if os(Linux)
      if isReal { return mount("tmpfs", folder.path, "tmpfs", UInt(MS_REMOUNT | MS_RDONLY), nil) == 0 }
    #endif
    try FileManager.default.setAttributes([.posixPermissions: 0o555], ofItemAtPath: folder.path)
    return geteuid() != 0
  }

  /// What refusals say of a locked one.
  var reasonOfLock: String { isReal ? ", since its disk is read-only" : "" }

  func makeRoom() throws {
    limits = nil
    if FileManager.default.fileExists(atPath: ballast.path) { try FileManager.default.removeItem(at: ballast) }
  }

  private var ballast: URL { file("ballast") }

  /// Runs a command with the room there is.
  func dualnorm(_ arguments: [String], output: URL? = nil) throws -> (status: Int32, output: String, errors: String) {
    let redirection = output.map { "exec >'\($0.path)'" }
    let before = [limits, redirection].compactMap { $0 }.joined(separator: " && ")
    return try RunningCommand(arguments, limits: before.isEmpty ? nil : before).finish()
  }

  /// All that lies on it.
  var contents: [String] { CommandTests.contents(of: folder).filter { $0 != "ballast" } }

  /// How the refusal of a file ends that there is no room for.
  var refusal: String {
    (isReal
      ? "cannot be written, since its disk is full (No space left on device)" : "cannot be written (File too large)")
      + "; make room for it on its disk"
  }

  /// What a command without room ended with: the one sentence that names a file on this disk. Nothing half-done is left.
  ///
  /// - Returns: the file's path from `folder` on; nil where the sentence is another one.
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
