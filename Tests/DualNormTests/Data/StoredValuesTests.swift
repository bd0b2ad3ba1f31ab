import Foundation
import Testing

@testable import Basics
@testable import DualNorm

@Suite struct StoredValuesTests {
  private let folder: URL

  init() throws {
    folder = FileManager.default.temporaryDirectory.appendingPathComponent("stored-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
  }

  @Test func valuesInAFileAreTheSame() throws {
    defer { try? FileManager.default.removeItem(at: folder) }
    let values = (0..<10_000).map { Float($0) / 3 }
    let stored = StoredValues(values)
    let filed = try stored.inFile(in: folder)
    // The file has no name any more, so nothing is left however the process ends.
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path).isEmpty)
    #expect(filed.all == values && filed.count == values.count && filed.bytes == 40_000)
    for range in [0..<0, 0..<1, 4_095..<4_099, 9_999..<10_000, 10_000..<10_000] {
      var (a, b): ([Float], [Float]) = ([7], [7])
      stored.append(range, to: &a)
      filed.append(range, to: &b)
      #expect(a == [7] + values[range] && b == a)
    }
  }

  @Test func aFolderThatIsNotThere() throws {
    try FileManager.default.removeItem(at: folder)
    let error = try #require(throws: Refusal.self) { _ = try StoredValues([UInt8(1)]).inFile(in: folder) }
    #expect(
      error.description == "\(folder.path): does not take 0 MiB of prepared volumes (No such file or directory); "
        + "free the disk, or raise --memory so that they stay in memory.")
  }
}
