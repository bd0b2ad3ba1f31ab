import Foundation
import Testing

@testable import Basics

@Suite struct AtomicWriteTests {
  let folder = FileManager.default.temporaryDirectory.appendingPathComponent("atomic-\(UUID().uuidString)")

  @Test func writesAndReplaces() throws {
    defer { try? FileManager.default.removeItem(at: folder) }
    let file = folder.appendingPathComponent("deep/value.txt")
    try writeAtomically(Data("one".utf8), to: file)
    try writeAtomically(Data("two".utf8), to: file)
    #expect(try String(contentsOf: file, encoding: .utf8) == "two")
    #expect(try FileManager.default.contentsOfDirectory(atPath: file.deletingLastPathComponent().path) == ["value.txt"])
  }

  @Test func failureKeepsTheOldFileAndLeavesNoPart() throws {
    struct Broken: Error {}
    defer { try? FileManager.default.removeItem(at: folder) }
    let file = folder.appendingPathComponent("value.txt")
    try writeAtomically(Data("old".utf8), to: file)
    #expect(throws: Broken.self) {
      try writeAtomically(to: file) { temporary in
        try Data("ne".utf8).write(to: temporary)
        throw Broken()
      }
    }
    #expect(try String(contentsOf: file, encoding: .utf8) == "old")
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path) == ["value.txt"])
  }

  /// Other programs use them.
  @Test func pipesSocketsAndDevicesStay() throws {
    defer { try? FileManager.default.removeItem(at: folder) }
    try makeFolder(folder)
    let (pipe, socket) = (folder.appendingPathComponent("pipe.csv"), folder.appendingPathComponent("s"))
    try #require(mkfifo(pipe.path, 0o600) == 0)
    try #require(mknod(socket.path, S_IFSOCK | 0o600, 0) == 0)
    let link = folder.appendingPathComponent("link.csv")
    try FileManager.default.createSymbolicLink(at: link, withDestinationURL: pipe)
    let null = URL(fileURLWithPath: "/dev/null")
    for (url, kind) in [(pipe, "a pipe"), (link, "a pipe"), (socket, "a socket"), (null, "a device")] {
      let sentence = Refusal(
        .file, sentence: "\(url.path): is \(kind), and only a regular file is replaced; choose another output.")
      #expect(throws: sentence) { try requireWritable(url) }
      #expect(throws: sentence) { try writeAtomically(Data("x".utf8), to: url) }
    }
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted() == ["link.csv", "pipe.csv", "s"])
    var status = stat()
    #expect(stat(pipe.path, &status) == 0 && status.st_mode & S_IFMT == S_IFIFO)
  }

  @Test func foldersAreMadeWithThoseTheyLieIn() throws {
    defer { try? FileManager.default.removeItem(at: folder) }
    let deep = folder.appendingPathComponent("a/./b//c/../d")
    try makeFolder(deep)
    try makeFolder(deep)
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path + "/a/b").sorted() == ["c", "d"])
    try writeAtomically(Data(), to: folder.appendingPathComponent("file"))
    for (path, why) in [("file", "File exists"), ("file/x/y", "Not a directory")] {
      let url = folder.appendingPathComponent(path)
      #expect(
        throws: Refusal(.file, sentence: "\(url.path): this folder cannot be made (\(why)); choose another output.")
      ) {
        try makeFolder(url)
      }
    }
  }

  @Test func copiesKeepBytesAndPermissions() throws {
    defer { try? FileManager.default.removeItem(at: folder) }
    let (source, target) = (folder.appendingPathComponent("source"), folder.appendingPathComponent("new/target"))
    let bytes = Data((0..<3_000_000).map { UInt8(truncatingIfNeeded: $0 &* 31) })
    try writeAtomically(bytes, to: source)
    try FileManager.default.setAttributes([.posixPermissions: 0o640], ofItemAtPath: source.path)
    let link = folder.appendingPathComponent("link")
    try FileManager.default.createSymbolicLink(at: link, withDestinationURL: source)
    try copyAtomically(link, to: target)
    #expect(try Data(contentsOf: target) == bytes)
    #expect(try FileManager.default.attributesOfItem(atPath: target.path)[.posixPermissions] as? Int == 0o640)
    let pipe = folder.appendingPathComponent("pipe")
    try #require(mkfifo(pipe.path, 0o600) == 0)
    #expect(
      throws: Refusal(
        .file,
        sentence: "\(pipe.path): is no regular file, and only such are copied; take it away, or put a file there.")
    ) { try copyAtomically(pipe, to: target) }
    let none = folder.appendingPathComponent("none")
    #expect(
      throws: Refusal(
        .file,
        sentence:
          "\(none.path): cannot be copied to \(target.path) (No such file or directory); check its permissions and its disk."
      )
    ) { try copyAtomically(none, to: target) }
  }

  @Test func aFileInTheWayOfTheFolderIsNamed() throws {
    defer { try? FileManager.default.removeItem(at: folder) }
    let file = folder.appendingPathComponent("value.txt")
    try writeAtomically(Data("x".utf8), to: file)
    #expect(throws: Refusal.self) { try writeAtomically(Data(), to: file.appendingPathComponent("inside.txt")) }
  }
}
