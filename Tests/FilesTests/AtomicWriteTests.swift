import Files
import Foundation
import Testing

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

  @Test func aFileInTheWayOfTheFolderIsNamed() throws {
    defer { try? FileManager.default.removeItem(at: folder) }
    let file = folder.appendingPathComponent("value.txt")
    try writeAtomically(Data("x".utf8), to: file)
    #expect(throws: FileError.self) { try writeAtomically(Data(), to: file.appendingPathComponent("inside.txt")) }
  }
}
