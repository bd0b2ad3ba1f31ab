import Foundation
import Testing

@testable import Basics

/// Temporary files and folders: their names cannot be guessed, links in their place are not followed, and only those of
/// killed processes are removed.
@Suite struct PartialPathTests {
  let folder = FileManager.default.temporaryDirectory.appendingPathComponent("partial-\(UUID().uuidString)")
  private var file: URL { folder.appendingPathComponent("value.txt") }
  private var victim: URL { folder.appendingPathComponent("victim") }

  init() throws {
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    try Data("mine".utf8).write(to: victim)
  }

  private var names: [String] {
    ((try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []).filter { $0 != "victim" }.sorted()
  }

  private func link(_ name: String, to target: URL) throws {
    try FileManager.default.createSymbolicLink(at: folder.appendingPathComponent(name), withDestinationURL: target)
  }

  private var victimText: String? { try? String(contentsOf: victim, encoding: .utf8) }

  /// The number of a process that has ended.
  private func deadProcess() throws -> pid_t {
    let process = try Process.run(URL(fileURLWithPath: "/bin/sh"), arguments: ["-c", "exit"])
    process.waitUntilExit()
    return process.processIdentifier
  }

  @Test func namesCannotBeForeseen() throws {
    defer { try? FileManager.default.removeItem(at: folder) }
    let made = try (0..<20).map { _ in try PartialPath(file: file) }
    let words = made.map { $0.url.lastPathComponent.split(separator: "-") }
    #expect(Set(words.map { $0[3] }).count == 20 && words.allSatisfy { $0[3].count == 16 + ".txt".count })
    #expect(Set(words.map { $0[1] }) == [Substring(PartialName.machine)])
    // A long name must not exceed the file system's limit.
    let long = folder.appendingPathComponent(String(repeating: "n", count: 251) + ".TXT")
    try writeAtomically(Data("x".utf8), to: long)
    #expect(try PartialPath(file: long).url.pathExtension == "txt")
    withExtendedLifetime(made) {}
  }

  /// Links under the name that earlier versions used, and in the place of the file itself.
  @Test func plantedLinksAreNotFollowed() throws {
    defer { try? FileManager.default.removeItem(at: folder) }
    let foreseen = ".partial-\(getpid())-value.txt"
    try link(foreseen, to: victim)
    try link("value.txt", to: victim)
    try writeAtomically(Data("new".utf8), to: file)
    #expect(victimText == "mine" && names == [foreseen, "value.txt"])
    #expect(try FileManager.default.attributesOfItem(atPath: file.path)[.type] as? FileAttributeType == .typeRegular)
  }

  @Test func aFileThatIsReplacedWhileItIsWritten() throws {
    defer { try? FileManager.default.removeItem(at: folder) }
    let error = #expect(throws: Refusal.self) {
      try writeAtomically(to: file) { temporary in
        try FileManager.default.removeItem(at: temporary)
        try FileManager.default.createSymbolicLink(at: temporary, withDestinationURL: victim)
      }
    }
    #expect(
      error?.description
        == "\(file.path): was replaced by another file while it was written; choose a folder that nobody else writes to."
    )
    #expect(victimText == "mine" && names.count == 1)
  }

  @Test func aLockThatIsALink() throws {
    defer { try? FileManager.default.removeItem(at: folder) }
    let lock = folder.appendingPathComponent(FolderLock.fileName)
    let sentence = "\(lock.path): is a link or no regular file, where the folder's lock is kept; delete it."
    try link(FolderLock.fileName, to: victim)
    #expect(throws: Refusal(.file, sentence: sentence)) { try FolderLock(folder) }
    try FileManager.default.removeItem(at: lock)
    try FileManager.default.linkItem(at: victim, to: lock)
    #expect(throws: Refusal(.file, sentence: sentence)) { try FolderLock(folder) }
    try FileManager.default.removeItem(at: lock)
    try #require(mkfifo(lock.path, 0o600) == 0)
    #expect(throws: Refusal(.file, sentence: sentence)) { try FolderLock(folder) }
    #expect(victimText == "mine")
  }

  /// Files and folders of a dead process are removed, though another process may have its number by now.
  @Test func whatKilledProcessesLeftIsRemoved() throws {
    defer { try? FileManager.default.removeItem(at: folder) }
    for process in [try deadProcess(), getpid(), 1] {
      let name = PartialName(process: process).text
      try Data("part".utf8).write(to: folder.appendingPathComponent(name + ".nii.gz"))
      let inside = folder.appendingPathComponent(PartialName(process: process).text + "/Site-A")
      try FileManager.default.createDirectory(at: inside, withIntermediateDirectories: true)
      try Data("part".utf8).write(to: inside.appendingPathComponent("a.nii.gz"))
    }
    #expect(names.count == 6)
    // The first write in the folder removes them.
    try writeAtomically(Data("x".utf8), to: file)
    #expect(names == ["value.txt"])
  }

  /// Each cleans up before it makes its own, and may find another's before it is locked.
  @Test func foldersThatManyMakeAtOnce() {
    defer { try? FileManager.default.removeItem(at: folder) }
    let target = folder.appendingPathComponent("upload")
    let failures = concurrentMap(Array(0..<600), threads: 16, progress: nil) { _ -> String? in
      do {
        let made = try PartialPath(folder: target)
        return FileManager.default.fileExists(atPath: made.url.path) ? nil : "it is gone"
      } catch { return "\(error)" }
    }
    #expect(failures.compactMap { $0 } == [])
    #expect(names == [])
  }

  @Test func whatMayBeInUseStays() throws {
    defer { try? FileManager.default.removeItem(at: folder) }
    let dead = try deadProcess()
    let living = try PartialPath(file: file)
    let livingFolder = try PartialPath(folder: folder.appendingPathComponent("site"))
    let elsewhere = PartialName(process: dead).text.replacingOccurrences(
      of: PartialName.machine, with: "0123456789abcdef")
    try Data("part".utf8).write(to: folder.appendingPathComponent(elsewhere))
    try Data("theirs".utf8).write(to: folder.appendingPathComponent(".partial-notes"))
    let (linked, pipe) = (PartialName(process: dead).text, PartialName(process: dead).text)
    try link(linked, to: victim)
    try #require(mkfifo(folder.appendingPathComponent(pipe).path, 0o600) == 0)
    removePartialFiles(in: folder)
    let all = [
      living.url.lastPathComponent, livingFolder.url.lastPathComponent, elsewhere, ".partial-notes", linked, pipe,
    ]
    #expect(names == all.sorted() && victimText == "mine")
    try living.rename(to: file)
    #expect(names.contains("value.txt"))
    withExtendedLifetime(livingFolder) {}
  }

  /// A process that is killed while writing releases its lock; a stopped process keeps it.
  @Test func theLockIsTheProcess() throws {
    defer { try? FileManager.default.removeItem(at: folder) }
    let name = PartialName(process: 1).text
    let path = folder.appendingPathComponent(name).path
    let writer = Process()
    writer.executableURL = URL(fileURLWithPath: "/usr/bin/flock")
    guard FileManager.default.isExecutableFile(atPath: "/usr/bin/flock") else { return print("no flock here") }
    writer.arguments = ["--no-fork", path, "/bin/sleep", "600"]
    try writer.run()
    while !isLocked(path) { usleep(2000) }
    kill(writer.processIdentifier, SIGSTOP)
    removePartialFiles(in: folder)
    #expect(names == [name])
    kill(writer.processIdentifier, SIGKILL)
    writer.waitUntilExit()
    removePartialFiles(in: folder)
    #expect(names == [])
  }

  private func isLocked(_ path: String) -> Bool {
    let descriptor = open(path, O_RDONLY)
    guard descriptor >= 0 else { return false }
    defer { close(descriptor) }
    return flock(descriptor, LOCK_EX | LOCK_NB) != 0
  }

  /// No thread loses its file while others write and remove.
  @Test func writersAndRemoversAtOnce() async throws {
    defer { try? FileManager.default.removeItem(at: folder) }
    let folder = folder
    try await withThrowingTaskGroup(of: Void.self) { group in
      for number in 0..<2 {
        group.addTask {
          for _ in 0..<100 { try writeAtomically(Data("x".utf8), to: folder.appendingPathComponent("\(number)")) }
        }
        group.addTask { for _ in 0..<300 { removePartialFiles(in: folder) } }
      }
      try await group.waitForAll()
    }
    #expect(names == ["0", "1"])
  }
}
