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

  /// The record; nil without one, or where somebody damaged it.
  var record: SeriesRecord? {
    contents(ofRegularFile: recordFile).flatMap { try? JSONDecoder().decode(SeriesRecord.self, from: $0) }
  }

  /// The time of the record; nil without one.
  var recorded: Date? {
    (try? FileManager.default.attributesOfItem(atPath: recordFile.path))?[.modificationDate] as? Date
  }

  func write(_ record: SeriesRecord) throws {
    try writeAtomically(prettyJSON(record), to: recordFile)
    try? FileManager.default.removeItem(at: attemptsFile)
  }

  /// The number of times that a segmentation was begun and did not end, not even by an error.
  var attempts: Int { contents(ofRegularFile: attemptsFile).flatMap { Int(String(decoding: $0, as: UTF8.self)) } ?? 0 }

  func write(attempts: Int) throws { try writeAtomically(Data("\(attempts)".utf8), to: attemptsFile) }

  /// Moves an image here, so that it outlives a loss of power. An image that is there already stays.
  func add(_ file: URL, _ instance: String) throws {
    let target = image(instance)
    guard !FileManager.default.fileExists(atPath: target.path) else { return }
    try makeFolder(imageFolder)
    try moveDurably(file, to: target)
  }

  /// Links images into a folder, under their own names. Later images do not get there.
  func link(_ images: Set<String>, into folder: URL) throws {
    try makeFolder(folder)
    for instance in images {
      let (source, target) = (image(instance), folder.appendingPathComponent("\(instance).dcm"))
      guard Foundation.link(source.path, target.path) == 0 else { throw unwritable(target, errno) }
    }
  }

  /// Removes images whose series is done. The record stays.
  func removeImages() {
    try? FileManager.default.removeItem(at: imageFolder)
    try? FileManager.default.removeItem(at: mask)
  }
}
