import Basics
import Foundation
import Testing

@testable import MedicalImaging
@testable import Watching

/// The queue on disk, without a network.
@Suite struct SeriesQueueTests {
  private let folder: URL
  private let lifetime: Folder
  private static let series = "1.2.826.0.1.3680043.10.1234.5"
  private static let slices = ["00", "IM1", "IM3", "b.dcm", "scan.IMA"].map {
    dicomFixtures.appendingPathComponent("oblique/\($0)")
  }

  /// A temporary folder that goes with this object.
  private final class Folder {
    let url = FileManager.default.temporaryDirectory.appendingPathComponent("queue-\(UUID())")

    deinit { try? FileManager.default.removeItem(at: url) }
  }

  init() {
    lifetime = Folder()
    folder = lifetime.url
  }

  /// Receives a copy of a file, as the listener does.
  @discardableResult
  private func send(_ file: URL, to queue: SeriesQueue, instance: String? = nil) throws -> StorageListener.Answer {
    let copy = queue.incoming.appendingPathComponent("\(UUID())")
    try FileManager.default.copyItem(at: file, to: copy)
    defer { try? FileManager.default.removeItem(at: copy) }
    let header = try? SeriesHeader(contentsOf: file)
    return queue.take(
      StorageListener.Image(
        file: copy, sopClass: header?.sopClass ?? "1.2", instance: instance ?? header?.instance ?? "1.2.3",
        caller: "SCANNER", peer: "127.0.0.1"))
  }

  private func next(_ queue: SeriesQueue, canStore: Bool = true) -> SeriesQueue.Taken? {
    queue.next(age: 0, canStore: { _ in canStore })
  }

  private func finish(_ queue: SeriesQueue, _ step: SeriesRecord.Step, _ taken: SeriesQueue.Taken) throws {
    if step == .segmented { try Data("mask".utf8).write(to: queue.mask(of: taken)) }
    try queue.finish(taken, SeriesRecord(step, taken.images))
  }

  @Test func imagesBecomeATaskOnce() throws {
    let queue = try SeriesQueue(folder)
    for file in Self.slices { #expect(try send(file, to: queue) == .stored) }
    #expect(queue.count == 1 && queue.next(age: 3600, canStore: { _ in true }) == nil)
    let taken = try #require(next(queue))
    #expect(taken.uid == Self.series && taken.images.count == 5 && taken.task == .segment)
    #expect(next(queue) == nil)
    try finish(queue, .segmented, taken)
    #expect(next(queue, canStore: false) == nil)
    let store = try #require(next(queue))
    #expect(store.task == .store(SeriesRecord(.segmented, taken.images)))
    try finish(queue, .stored, store)
    #expect(queue.count == 0 && next(queue) == nil)
    // The same images again.
    for file in Self.slices { #expect(try send(file, to: queue) == .stored) }
    #expect(queue.count == 0)
  }

  @Test func theSameIsToBeDoneAfterAnyEnd() throws {
    var queue: SeriesQueue? = try SeriesQueue(folder)
    for file in Self.slices { try send(file, to: queue!) }
    try Data("half".utf8).write(to: queue!.incoming.appendingPathComponent("half"))
    let taken = try #require(next(queue!))
    let links = try queue!.linkedImages(of: taken)
    #expect(try FileManager.default.contentsOfDirectory(atPath: links.path).count == 5)
    try queue!.setAttempts(2, of: taken)
    queue = nil  // as if it were killed while it segmented
    queue = try SeriesQueue(folder)
    #expect(try FileManager.default.contentsOfDirectory(atPath: queue!.incoming.path).isEmpty)
    #expect(!FileManager.default.fileExists(atPath: links.path))
    let again = try #require(next(queue!))
    #expect(again.images == taken.images && queue!.attempts(of: again) == 2)
    try finish(queue!, .segmented, again)
    #expect(queue!.attempts(of: again) == 0)
    queue = nil  // before it was stored
    queue = try SeriesQueue(folder)
    let store = try #require(next(queue!))
    #expect(try Data(contentsOf: queue!.mask(of: store)) == Data("mask".utf8))
    try finish(queue!, .stored, store)
    queue = nil
    #expect(try SeriesQueue(folder).count == 0)
  }

  @Test func imagesThatComeDuringATaskAreNotLost() throws {
    let queue = try SeriesQueue(folder)
    for file in Self.slices.dropLast(2) { try send(file, to: queue) }
    let taken = try #require(next(queue))
    let links = try queue.linkedImages(of: taken)
    try send(Self.slices[3], to: queue)
    #expect(try FileManager.default.contentsOfDirectory(atPath: links.path).count == 3)
    try finish(queue, .segmented, taken)
    // The mask of a part is not stored.
    let whole = try #require(next(queue))
    #expect(whole.task == .segment && whole.images.count == 4)
    try finish(queue, .stored, whole)
    try send(Self.slices[4], to: queue)
    #expect(next(queue)?.images.count == 5)
  }

  @Test func imagesAreRemovedInTime() throws {
    let queue = try SeriesQueue(folder)
    for file in Self.slices.dropLast() { try send(file, to: queue) }
    queue.removeImages(olderThan: 0)
    let taken = try #require(next(queue))
    #expect(taken.images.count == 4)
    try finish(queue, .stored, taken)
    queue.removeImages(olderThan: 3600)
    try send(Self.slices[4], to: queue)
    let all = try #require(next(queue))
    #expect(all.images.count == 5)
    try finish(queue, .stored, all)
    queue.removeImages(olderThan: 0)
    #expect(
      try FileManager.default.contentsOfDirectory(atPath: folder.appendingPathComponent("series/\(Self.series)").path)
        == ["record.json"])
    // All again: there is nothing to do.
    for file in Self.slices { try send(file, to: queue) }
    #expect(queue.count == 0)
  }

  @Test func theRestOfARemovedSeriesIsRefused() throws {
    let queue = try SeriesQueue(folder)
    for file in Self.slices.dropLast() { try send(file, to: queue) }
    try finish(queue, .stored, #require(next(queue)))
    queue.removeImages(olderThan: 0)
    try send(Self.slices[4], to: queue)
    let rest = try #require(next(queue))
    guard case .refuseRest(let all) = rest.task else {
      Issue.record("\(rest.task)")
      return
    }
    var record = SeriesRecord(.failed, all)
    record.isPart = true
    try queue.finish(rest, record)
    #expect(all.count == 5 && queue.count == 0)
    for file in Self.slices.prefix(3) { try send(file, to: queue) }
    #expect(queue.count == 0)
    for file in Self.slices { try send(file, to: queue) }
    #expect(next(queue)?.images.count == 5)
  }

  @Test func aCorrectedImageReplacesTheFirst() throws {
    let queue = try SeriesQueue(folder)
    for file in Self.slices { try send(file, to: queue) }
    try finish(queue, .stored, #require(next(queue)))
    let corrected = queue.incoming.appendingPathComponent("corrected")
    var bytes = try Data(contentsOf: Self.slices[0])
    bytes[bytes.count - 2] ^= 1
    try bytes.write(to: corrected)
    try send(corrected, to: queue)
    let again = try #require(next(queue))
    #expect(again.task == .segment && again.images.count == 5)
    // One that comes during the work makes it begin again.
    try send(Self.slices[0], to: queue)
    try finish(queue, .segmented, again)
    #expect(next(queue)?.task == .segment)
  }

  @Test func aSeriesThatFailsLetsOthersGoFirst() throws {
    let queue = try SeriesQueue(folder)
    try send(Self.slices[0], to: queue)
    try send(dicomFixtures.appendingPathComponent("rle.dcm"), to: queue)
    let first = try #require(next(queue))
    queue.giveBack(first, after: 0.01)
    usleep(20_000)
    let second = try #require(next(queue))
    #expect(first.uid == Self.series && second.uid != first.uid)
    queue.giveBack(second)
    queue.giveBack(first, after: 60)
    #expect(next(queue)?.uid == second.uid && next(queue) == nil)
  }

  @Test func imagesThatAreComingAgainAreNotRemoved() throws {
    let queue = try SeriesQueue(folder)
    for file in Self.slices { try send(file, to: queue) }
    try finish(queue, .stored, #require(next(queue)))
    queue.removeImages(olderThan: 0)
    for file in Self.slices { try send(file, to: queue) }
    queue.removeImages(olderThan: 60)
    let images = folder.appendingPathComponent("series/\(Self.series)/images")
    #expect(try FileManager.default.contentsOfDirectory(atPath: images.path).count == 5)
  }

  @Test func aDamagedRecordIsRefused() throws {
    var queue: SeriesQueue? = try SeriesQueue(folder)
    try send(Self.slices[0], to: queue!)
    try finish(queue!, .failed, #require(next(queue!)))
    queue = nil
    let record = folder.appendingPathComponent("series/\(Self.series)/record.json")
    try Data("{".utf8).write(to: record)
    #expect(
      refusal { try SeriesQueue(folder) }
        == "\(record.path): is no record of a series; remove it; then the series is segmented anew.")
  }

  @Test func failedSeriesAreTriedAgainWhenAsked() throws {
    var queue: SeriesQueue? = try SeriesQueue(folder)
    for file in Self.slices { try send(file, to: queue!) }
    try finish(queue!, .failed, #require(next(queue!)))
    queue!.removeImages(olderThan: 0)
    queue = nil
    queue = try SeriesQueue(folder)
    #expect(queue!.count == 0)
    queue = nil
    queue = try SeriesQueue(folder, retries: true)
    #expect(try #require(next(queue!)).images.count == 5)
  }

  @Test func imagesThatDoNotFitTheirRequest() throws {
    let queue = try SeriesQueue(folder)
    #expect(try send(Self.slices[0], to: queue, instance: "1.2.3") == .mismatch)
    #expect(try send(Self.slices[0], to: queue, instance: "../../up") == .notUnderstood)
    #expect(try send(URL(fileURLWithPath: #filePath), to: queue) == .notUnderstood)
    #expect(queue.count == 0)
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path + "/series").isEmpty)
  }

  @Test func foldersThatAreNoQueue() throws {
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    try Data().write(to: folder.appendingPathComponent("notes.txt"))
    #expect(
      refusal { try SeriesQueue(folder) }
        == "\(folder.path): holds notes.txt, so it is no queue of series; give an empty or a new folder.")
    try FileManager.default.removeItem(at: folder.appendingPathComponent("notes.txt"))
    let queue = try SeriesQueue(folder)
    #expect(refusal { try SeriesQueue(folder) }?.contains("is working in it") == true)
    var status = stat()
    #expect(stat(queue.folder.path, &status) == 0 && status.st_mode & 0o777 == 0o700)
  }
}
