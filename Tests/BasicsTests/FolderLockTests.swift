import Foundation
import Testing

@testable import Basics

@Suite struct FolderLockTests {
  let folder = FileManager.default.temporaryDirectory.appendingPathComponent("lock-\(UUID().uuidString)")
  private var file: URL { folder.appendingPathComponent(FolderLock.fileName) }

  init() throws { try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true) }

  private var host: String {
    var name = [CChar](repeating: 0, count: 256)
    gethostname(&name, 255)
    return String(decoding: name.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }

  @Test func whoHoldsItIsNamedAndItGoesWithItsHolder() throws {
    defer { try? FileManager.default.removeItem(at: folder) }
    var lock: FolderLock? = try FolderLock(folder)
    let error = #expect(throws: Refusal.self) { try FolderLock(folder) }
    #expect(
      error?.description
        == "\(folder.path): process \(getpid()) on \(host) is working in it; wait until that has ended, or stop it.")
    withExtendedLifetime(lock) {}
    lock = nil
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path).isEmpty)
    _ = try FolderLock(folder)
  }

  /// A killed process leaves the file but not the lock.
  @Test func whatAKilledProcessLeftIsTakenOver() throws {
    defer { try? FileManager.default.removeItem(at: folder) }
    try Data("4000000 elsewhere\n".utf8).write(to: file)
    let lock = try FolderLock(folder)
    #expect(try String(contentsOf: file, encoding: .utf8) == "\(getpid()) \(host)\n")
    withExtendedLifetime(lock) {}
  }

  /// Only one of many threads holds the lock at a time, though each removes the file.
  @Test func oneAtATime() async {
    defer { try? FileManager.default.removeItem(at: folder) }
    let holders = Counter()
    let folder = folder
    await withTaskGroup(of: Int.self) { group in
      for _ in 0..<4 {
        group.addTask {
          var taken = 0
          for _ in 0..<300 {
            guard let lock = try? FolderLock(folder) else { continue }
            #expect(holders.add(1) == 1)
            holders.add(-1)
            taken += 1
            withExtendedLifetime(lock) {}
          }
          return taken
        }
      }
      let taken = await group.reduce(0, +)
      #expect(taken > 300)
    }
  }

  @Test func aFolderThatCannotBeWritten() throws {
    defer { try? FileManager.default.removeItem(at: folder) }
    let missing = folder.appendingPathComponent("missing")
    #expect(
      throws: Refusal(
        .file,
        sentence:
          "\(missing.path): cannot be written to (No such file or directory); give a folder that you may write to.")
    ) { try FolderLock(missing) }
  }
}

private final class Counter: @unchecked Sendable {
  private let lock = NSLock()
  private var count = 0

  @discardableResult func add(_ number: Int) -> Int {
    lock.withLock {
      count += number
      return count
    }
  }
}
