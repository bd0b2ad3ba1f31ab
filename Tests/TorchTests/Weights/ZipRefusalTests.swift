import Foundation
import Testing
import Torch

@Suite struct ZipRefusalTests {
  private let folder: TemporaryFolder
  /// An empty dictionary and two records. Record headers are at 0, 44 and 88; the directory begins at 127.
  private static let records: [(name: String, contents: Data)] = [
    ("a/data.pkl", Data("}.".utf8)), ("a/byteorder", Data("lit".utf8) + Data("tle".utf8)), ("a/data/0", Data([1])),
  ]
  private static let start = 42 + 47 + 39

  init() throws { folder = try TemporaryFolder() }

  private func refusal(_ contents: Data) throws -> String? {
    try TorchTests.refusal(folder.file(contents), TorchCheckpoint.read)
  }

  /// The refusal of the valid file after `change`.
  private func refusal(wide: Bool = false, _ change: (inout Data) -> Void) throws -> String? {
    var file = zipFile(Self.records, wide: wide)
    #expect(try refusal(file) == nil)
    change(&file)
    return try refusal(file)
  }

  @Test func readsZipsOfBothWidths() throws {
    for wide in [false, true] {
      let file = try folder.file(zipFile(Self.records, wide: wide))
      #expect(try TorchCheckpoint.read(file).tensors.isEmpty)
    }
  }

  @Test func everyTruncationIsRefused() throws {
    let network = try Data(contentsOf: fixture("network.pth"))
    for count in 1..<network.count {
      let expected =
        count < 4
        ? "FILE: is no zip file, as torch.save writes them; give a file of weights."
        : "FILE: does not end like a zip file; it is cut short or damaged, copy or save it again."
      let found = try refusal(network.prefix(count))
      #expect(found == expected)
    }
    #expect(
      try refusal(network + Data([0]))
        == "FILE: does not end like a zip file; it is cut short or damaged, copy or save it again.")
  }

  @Test func wrongEnds() throws {
    let damaged = "FILE: its end of the zip directory is wrong; it is damaged."
    // The directory's length and offset, and the disk number; also in the wide end, and the locator's target.
    for offset in [-10, -6, -18, -7] { #expect(try refusal { $0[$0.count + offset] &+= 1 } == damaged) }
    for offset in [-58, -50, -82, -78, -43, -34] {
      #expect(try refusal(wide: true) { $0[$0.count + offset] &+= 1 } == damaged, "\(offset)")
    }
    for value: UInt64 in [.max, 1 << 63, 1 << 40] {
      #expect(
        try refusal(wide: true) { $0.replaceSubrange($0.count - 34..<$0.count - 26, with: bytes(value)) } == damaged)
      #expect(
        try refusal(wide: true) { $0.replaceSubrange($0.count - 58..<$0.count - 50, with: bytes(value)) } == damaged)
    }
    // The wide and the narrow end disagree.
    #expect(
      try refusal(wide: true) { $0.replaceSubrange($0.count - 10..<$0.count - 6, with: bytes(UInt32(7))) } == damaged)
    #expect(
      try refusal { $0[$0.count - 12] = 9 } == "FILE: its directory has 3 records instead of 9; it is damaged.")
  }

  @Test func wrongDirectories() throws {
    let start = Self.start
    let damaged = "FILE: its directory of records is wrong at byte 0; it is damaged."
    // Signature, length of name, extra field and comment (too long), disk, size, offset, name.
    for (offset, byte): (Int, UInt8) in [(0, 0), (29, 1), (31, 1), (33, 1), (34, 1), (20, 3), (46, 0xFF)] {
      #expect(try refusal { $0[start + offset] = byte } == damaged, "\(offset)")
    }
    #expect(
      try refusal { $0.replaceSubrange(start + 42..<start + 46, with: Data(repeating: 0xFF, count: 4)) } == damaged)
    #expect(
      try refusal { $0[start + 8] = 1 }
        == "FILE: its record 'a/data.pkl' is encrypted; save the weights without encryption.")
    #expect(
      try refusal { for place in [8, start + 10] { $0[place] = 8 } } == """
        FILE: its record 'a/data.pkl' is compressed, which torch.save never does; give the file that torch.save wrote, \
        or pack it again without compression.
        """)
    #expect(
      try refusal(zipFile(Self.records + [("a/data/0", Data([1]))]))
        == "FILE: lists the record 'a/data/0' twice; it is damaged.")
    // A truncated wide extra field, and sizes beyond Int.
    let wideStart = start + 46 + 10
    #expect(try refusal(wide: true) { $0[wideStart + 2] = 25 } == damaged)
    #expect(try refusal(wide: true) { $0[wideStart + 2] = 8 } == damaged)
    #expect(try refusal(wide: true) { $0[wideStart + 4 + 7] = 0x80 } == damaged)
  }

  @Test func wrongRecords() throws {
    let start = Self.start
    let damaged = "FILE: the local header of its record 'a/data.pkl' is wrong; it is damaged."
    // Signature, method, length of the name, name.
    for offset in [3, 8, 26, 30] { #expect(try refusal { $0[offset] ^= 8 } == (offset == 3 ? notZip : damaged)) }
    #expect(try refusal { $0[start + 42] = 1 } == damaged)
    #expect(try refusal { $0.replaceSubrange(start + 42..<start + 46, with: bytes(UInt32.max - 1)) } == damaged)
    let outside = "FILE: its record 'a/data.pkl' reaches over the end of the data; it is damaged."
    #expect(try refusal { $0[29] = 1 } == outside)
    for size: UInt32 in [UInt32(start) - 39, .max - 1] { #expect(try refusal { setSizes(size, in: &$0) } == outside) }
    #expect(try refusal { setSizes(3, in: &$0) } == "FILE: two of its records overlap; it is damaged.")
    #expect(
      try refusal(wide: true) { file in
        for field in [60, 68] { file.replaceSubrange(start + field..<start + field + 8, with: bytes(Int.max)) }
      } == outside)
  }

  /// Sets the sizes of the first record.
  private func setSizes(_ size: UInt32, in file: inout Data) {
    for field in [20, 24] {
      file.replaceSubrange(Self.start + field..<Self.start + field + 4, with: bytes(size))
    }
  }

  private let notZip = "FILE: is no zip file, as torch.save writes them; give a file of weights."

  @Test func wrongChecksums() throws {
    #expect(
      try refusal { $0[41] ^= 1 }
        == "FILE: the checksum of its record 'a/data.pkl' is wrong; it is damaged, copy or save it again.")
    // A change of any byte in a tensor's record is detected.
    let layouts = try Data(contentsOf: fixture("network.pth"))
    let record = try #require(layouts.range(of: Data("archive/data/0".utf8)))
    var changed = layouts
    changed[record.upperBound + 70] ^= 0x10
    #expect(
      try refusal(changed)
        == "FILE: the checksum of its record 'archive/data/0' is wrong; it is damaged, copy or save it again.")
  }
}
