import Foundation

/// A zip file of stored (not compressed) records, as PyTorch writes it, with every bound checked.
///
/// Sections refer to PKWARE's APPNOTE.
struct ZipArchive {
  private struct Record {
    let headerStart: Int
    let dataStart: Int
    let dataCount: Int
    let checksum: UInt32
    let isStored: Bool
  }

  let file: InputFile
  /// Records in the directory's order.
  private(set) var names: [String] = []
  private var records: [String: Record] = [:]

  init(_ file: InputFile) throws {
    self.file = file
    let directory = try ZipDirectory(file)
    for entry in directory.entries {
      let record = try Self.record(for: entry, of: file, before: directory.start)
      guard records.updateValue(record, forKey: entry.name) == nil else {
        throw file.refusal("lists the record '\(entry.name.printable)' twice", detail: "it is damaged")
      }
      names.append(entry.name)
    }
    var position = 0
    for record in records.values.sorted(by: { $0.headerStart < $1.headerStart }) {
      guard record.headerStart >= position else {
        throw file.refusal(
          "two of its records overlap", detail: "it is damaged")
      }
      position = record.dataStart + record.dataCount
    }
  }

  /// Throws `Refusal` if a record is compressed, since `contents` would return compressed bytes.
  func requireStoredRecords() throws {
    for name in names where !records[name]!.isStored {
      throw file.refusal(
        "its record '\(name.printable)' is compressed, which torch.save never does",
        remedy: "give the file that torch.save wrote, or pack it again without compression")
    }
  }

  /// The size of a record in bytes; nil without one.
  func size(of name: String) -> Int? { records[name]?.dataCount }

  /// Reads a record's bytes; nil without one.
  ///
  /// - Throws: `Refusal` if the checksum differs. It also differs in files saved with
  ///   `torch.serialization.set_crc32_options(False)`.
  func contents(of name: String) throws -> Data? {
    guard let record = records[name] else { return nil }
    let data = try file.bytes(at: record.dataStart, count: record.dataCount)
    guard CRC32.checksum(of: data) == record.checksum else {
      throw file.refusal(
        "the checksum of its record '\(name.printable)' is wrong", detail: "it is damaged, copy or save it again")
    }
    return data
  }

  /// Reads a record's header (section 4.3.7). Its sizes may be zero, so the directory's sizes count.
  private static func record(for entry: ZipDirectory.Entry, of file: InputFile, before limit: Int) throws -> Record {
    let damaged = file.refusal(
      "the local header of its record '\(entry.name.printable)' is wrong", detail: "it is damaged")
    let name = Array(entry.name.utf8)
    guard entry.headerStart <= limit, limit - entry.headerStart >= 30 + name.count else { throw damaged }
    let header = [UInt8](try file.bytes(at: entry.headerStart, count: 30 + name.count))
    guard header.starts(with: [0x50, 0x4B, 3, 4]), header.field(8, UInt16.self) == entry.method,
      header.field(26, UInt16.self) == name.count, header[30...].elementsEqual(name)
    else { throw damaged }
    let start = entry.headerStart + 30 + name.count + Int(header.field(28, UInt16.self))
    guard start <= limit, entry.dataCount <= limit - start else {
      throw file.refusal(
        "its record '\(entry.name.printable)' reaches over the end of the data", detail: "it is damaged")
    }
    return Record(
      headerStart: entry.headerStart, dataStart: start, dataCount: entry.dataCount, checksum: entry.checksum,
      isStored: entry.method == 0)
  }
}

extension [UInt8] {
  /// Reads a little-endian integer at `offset`, which must lie within.
  func field<Integer: FixedWidthInteger>(_ offset: Int, _: Integer.Type) -> Integer {
    self[offset..<offset + Integer.bitWidth / 8].reversed().reduce(0) { $0 << 8 | Integer(truncatingIfNeeded: $1) }
  }
}
