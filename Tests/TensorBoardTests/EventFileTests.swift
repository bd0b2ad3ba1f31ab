import Foundation
import TestSupport
import Testing

@testable import TensorBoard

@Suite struct EventFileTests {
  /// The examples of RFC 3720, B.4, and the usual check value of CRCs.
  @Test func checksums() {
    #expect(CRC32C.checksum([UInt8](repeating: 0, count: 32)) == 0x8a91_36aa)
    #expect(CRC32C.checksum([UInt8](repeating: 0xff, count: 32)) == 0x62a8_ab43)
    #expect(CRC32C.checksum(0..<32) == 0x46dd_794e)
    #expect(CRC32C.checksum(Array("123456789".utf8)) == 0xe306_9283)
  }

  /// The output of TensorBoard's `RecordWriter` for the same bytes.
  @Test func records() {
    let hex = record(of: [1, 2, 3]).map { String(format: "%02x", $0) }.joined()
    #expect(hex == "0300000000000000b099490e01020339cdc086")
  }

  @Test func histogramsCountByEqualParts() {
    let value = EventValue.histogram("h", [0, 1, 1, 2, 4, .nan, .infinity], buckets: 4).message.histo
    #expect(value.bucketLimit == [1, 2, 3, 4])
    #expect(value.bucket == [1, 2, 1, 1])
    #expect([value.min, value.max, value.num, value.sum, value.sumSquares] == [0, 4, 5, 8, 22])
    let same = EventValue.histogram("h", [3, 3]).message.histo
    #expect(same.bucketLimit == [3] && same.bucket == [2] && same.sum == 6)
    #expect(EventValue.histogram("h", [.nan]).message.histo.num == 0)
  }

  /// A file that starts at step 3 replaces steps 3 and later of an earlier file.
  @Test(.enabled(if: TestEnvironment.isThere, "needs TensorBoard's reader; make test-env gets it"))
  func tensorBoardReadsThem() throws {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent("events-\(UUID())")
    defer { try? FileManager.default.removeItem(at: folder) }
    let png = try Data(
      contentsOf: URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .appendingPathComponent("../Fixtures/images/grey8.png"))
    let first = try EventFile(in: folder, from: 0)
    for step in 1...4 { try first.append([.scalar("loss/first pass", Double(step) / 2)], step: step) }
    let second = try EventFile(in: folder, from: 3)
    try second.append([.scalar("loss/first pass", 8), .histogram("weights", [1, 2, 3], buckets: 2)], step: 3)
    try second.append([.picture("case", png: png, width: 4, height: 3)], step: 3)
    try second.append([], step: 4)
    let found = try TensorBoardReader.read(folder)
    #expect(found.scalars["loss/first pass"] == [[1, 0.5], [2, 1], [3, 8]])
    #expect(found.images["case"] == [[3, 4, 3, Double(png.count)]])
    #expect(found.histograms["weights"]?.count == 1)
  }

  @Test func aFolderThatCannotBeMadeIsNamed() {
    #expect {
      try EventFile(in: URL(fileURLWithPath: "/dev/null/events"), from: 0)
    } throws: {
      "\($0)" == "/dev/null/events: this folder cannot be made (Not a directory); choose another output."
    }
  }
}
