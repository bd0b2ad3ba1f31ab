import Basics
import Foundation

/// The folder of a series in a queue: `images/INSTANCE.dcm`, `record.json` and `mask.dcm`.
struct SeriesFolder {
  let url: URL
  let uid: String

  init(_ uid: String, in queue: URL) { (self.uid, url) = (uid, queue.appendingPathComponent(uid)) }

  var mask: URL { url.appendingPathComponent("mask.dcm") }
  private var imageFolder: URL { url.appendingPathComponent("images") }
  private var recordFile: URL { url.appendingPathComponent("record.json") }
  private var attemptsFile: URL { url.appendingPathComponent("attempts") }

  func image(_ instance: String) -> URL { imageFolder.appendingPathComponent("\(instance).dcm") }

  /// SOP Instance UIDs of the images.
  var images: Set<String> {
    let names = (try? FileManager.default.contentsOfDirectory(atPath: imageFolder.path)) ?? []
    return Set(names.filter { $0.hasSuffix(".dcm") && !$0.hasPrefix(".") }.map { String($0.dropLast(4)) })
  }

  /// The record; nil without one.
  ///
  /// - Throws: `Refusal` for one that somebody damaged.
  var record: SeriesRecord? {
    get throws {
      guard FileManager.default.fileExists(atPath: recordFile.path) else { return nil }
      let found = contents(ofRegularFile: recordFile).flatMap { try? JSONDecoder().decode(SeriesRecord.self, from: $0) }
      guard let found else {
        throw Refusal(
          .file, recordFile.path, "is no record of a series", remedy: "remove it; then the series is segmented anew")
      }
      return found
    }
  }

  /// The time of the last record or image; nil where no images are left.
  var lastChange: Date? {
    func changed(_ file: URL) -> Date? {
      (try? FileManager.default.attributesOfItem(atPath: file.path))?[.modificationDate] as? Date
    }
    return changed(imageFolder).map { max($0, changed(recordFile) ?? .distantPast) }
  }

  func removeRecord() {
    for file in [recordFile, attemptsFile] { try? FileManager.default.removeItem(at: file) }
  }

  func write(_ record: SeriesRecord) throws {
    try writeAtomically(prettyJSON(record), to: recordFile)
    try? FileManager.default.removeItem(at: attemptsFile)
  }

  /// The number of times that a segmentation was begun and did not end, not even by an error.
  var attempts: Int { contents(ofRegularFile: attemptsFile).flatMap { Int(String(decoding: $0, as: UTF8.self)) } ?? 0 }

  func write(attempts: Int) throws { try writeAtomically(Data("\(attempts)".utf8), to: attemptsFile) }

  /// What `add` did.
  enum Addition {
    case new
    /// The same image was there.
    case known
    /// An image of the same UID and with other data was there.
    case replaced
  }

  /// Moves a synced image here, so that it outlives a loss of power.
  func add(_ file: URL, _ instance: String) throws -> Addition {
    let target = image(instance)
    let isThere = FileManager.default.fileExists(atPath: target.path)
    if isThere, dataSet(file) == dataSet(target) { return .known }
    try makeFolder(imageFolder)
    try moveDurably(file, to: target)
    return isThere ? .replaced : .new
  }

  /// The bytes of a DICOM file after its meta header, which tells of the transfer.
  private func dataSet(_ file: URL) -> Data? {
    guard let bytes = try? Data(contentsOf: file), bytes.count > 144 else { return nil }
    let length = (0..<4).reduce(0) { $0 | Int(bytes[140 + $1]) << (8 * $1) }
    return bytes.dropFirst(144 + length)
  }

  /// Links images into a folder, under their own names. Later images do not get there.
  func link(_ images: Set<String>, into folder: URL) throws {
    try makeFolder(folder)
    for instance in images {
      let (source, target) = (image(instance), folder.appendingPathComponent("\(instance).dcm"))
      guard Foundation.link(source.path, target.path) != 0 else { continue }
      let code = errno
      guard code != ENOENT else { throw ImageIsGone() }
      guard ![ENOSPC, EDQUOT].contains(code) else { throw unwritable(target, code) }
      // A file system without links, or with too few.
      try copyAtomically(source, to: target)
    }
  }

  /// Somebody removed an image.
  struct ImageIsGone: Error {}

  /// Removes images whose series is done. The record stays.
  func removeImages() {
    try? FileManager.default.removeItem(at: imageFolder)
    try? FileManager.default.removeItem(at: mask)
  }
}
