import Basics
package import Foundation
package import MedicalImaging

/// The series that came, on disk, and what there is to do with them. Any thread may call its functions.
///
/// What is to be done follows from the files alone (`SeriesTask`): so it is the same after any end of the process.
package final class SeriesQueue: Sendable {
  package let folder: URL
  /// The folder for images that are being received.
  package var incoming: URL { folder.appendingPathComponent("incoming") }
  private let folderLock: FolderLock
  private let lock = NSLock()
  nonisolated(unsafe) private var open: [String: Open] = [:]  // guarded by `lock`, as the files of all series are

  /// A series with something to do.
  private struct Open {
    var images: Set<String>
    var record: SeriesRecord?
    var lastImage = Date()
    var isTaken = false

    var task: SeriesTask { SeriesTask(images, record) }
  }

  /// Opens a queue, or makes one that only this user may read.
  ///
  /// - Parameter retries: whether failed series are tried again.
  /// - Throws: `Refusal` for a folder that another process works in, that holds something else, or that cannot be
  ///   written.
  package init(_ folder: URL, retries: Bool = false) throws {
    self.folder = folder
    try Self.requireQueue(folder)
    try makeFolder(folder)
    folderLock = try FolderLock(folder)
    _ = chmod(folder.path, 0o700)
    for part in [incoming, seriesFolder] { try makeFolder(part) }
    // Their senders were told of no success.
    for file in try FileManager.default.contentsOfDirectory(at: incoming, includingPropertiesForKeys: nil) {
      try FileManager.default.removeItem(at: file)
    }
    try? FileManager.default.removeItem(at: snapshot)
    for uid in try FileManager.default.contentsOfDirectory(atPath: seriesFolder.path) where isUID(uid) {
      let series = SeriesFolder(uid, in: seriesFolder)
      if retries, series.record?.step == .failed {
        try FileManager.default.removeItem(at: series.url.appendingPathComponent("record.json"))
      }
      refresh(series)
    }
  }

  private var seriesFolder: URL { folder.appendingPathComponent("series") }
  /// Links to the images that are being segmented.
  private var snapshot: URL { folder.appendingPathComponent("segmenting") }

  private static func requireQueue(_ folder: URL) throws {
    let names = Set((try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? [])
    let strange = names.subtracting(["incoming", "series", "segmenting", FolderLock.fileName])
      .filter { !isPartialFile($0) }
    guard let first = strange.min() else { return }
    throw Refusal(
      .input, folder.path, "holds \(first), so it is no queue of series", remedy: "give an empty or a new folder")
  }

  // MARK: - Images

  /// Takes an image that came whole. It is on disk when this returns `stored`.
  package func take(_ image: StorageListener.Image) -> StorageListener.Answer {
    guard let header = try? SeriesHeader(contentsOf: image.file), let uid = header.series, isUID(uid),
      isUID(image.instance)
    else { return .notUnderstood }
    guard header.instance == image.instance, header.sopClass == image.sopClass else { return .mismatch }
    guard hasRoom else { return .outOfResources }
    return lock.withLock {
      do {
        let series = SeriesFolder(uid, in: seriesFolder)
        try series.add(image.file, image.instance)
        // A long series is not listed anew for each of its images.
        guard open[uid]?.images.insert(image.instance) == nil else {
          open[uid]!.lastImage = Date()
          return .stored
        }
        refresh(series)
        return .stored
      } catch {
        return .outOfResources
      }
    }
  }

  /// Tells whether the disk has room beside that for masks.
  private var hasRoom: Bool {
    let attributes = try? FileManager.default.attributesOfFileSystem(forPath: folder.path)
    return ((attributes?[.systemFreeSize] as? NSNumber)?.intValue ?? .max) > Self.reserve
  }

  /// Bytes of the disk that images leave free.
  private static let reserve = 1 << 29

  /// Decides anew what there is to do with a series. The caller holds the lock, or is alone.
  private func refresh(_ series: SeriesFolder) {
    let found = Open(images: series.images, record: series.record)
    open[series.uid] = found.task == .none ? nil : found
  }

  // MARK: - Tasks

  /// The number of series that something is to be done with.
  package var count: Int { lock.withLock { open.count } }

  /// A task that was taken, and the images that it is of.
  struct Taken {
    let uid: String
    let task: SeriesTask
    let images: Set<String>
  }

  /// Takes the next task; `finish` or `giveBack` ends it. Storing goes before segmenting, and older series before newer.
  ///
  /// - Parameters:
  ///   - age: seconds without a new image after which a series counts as whole.
  ///   - canStore: tells whether the server of a mask may be asked now.
  func next(age: TimeInterval, canStore: (SeriesRecord) -> Bool) -> Taken? {
    lock.withLock {
      let now = Date()
      func isDue(_ open: Open) -> Bool {
        guard !open.isTaken else { return false }
        if case .store(let record) = open.task { return canStore(record) }
        return now.timeIntervalSince(open.lastImage) >= age
      }
      func order(_ open: Open) -> (Int, Date) {
        if case .store = open.task { (0, open.lastImage) } else { (1, open.lastImage) }
      }
      guard let (uid, found) = open.filter({ isDue($0.value) }).min(by: { order($0.value) < order($1.value) }) else {
        return nil
      }
      open[uid]!.isTaken = true
      return Taken(uid: uid, task: found.task, images: found.images)
    }
  }

  /// Records the end of a task.
  func finish(_ taken: Taken, _ record: SeriesRecord) throws {
    try lock.withLock {
      let series = SeriesFolder(taken.uid, in: seriesFolder)
      try series.write(record)
      refresh(series)
    }
  }

  /// Leaves a task for later.
  func giveBack(_ taken: Taken) { lock.withLock { open[taken.uid]?.isTaken = false } }

  func mask(of taken: Taken) -> URL { SeriesFolder(taken.uid, in: seriesFolder).mask }

  /// Links the images of a task into a folder that no later image gets into.
  func linkedImages(of taken: Taken) throws -> URL {
    try lock.withLock {
      try? FileManager.default.removeItem(at: snapshot)
      try SeriesFolder(taken.uid, in: seriesFolder).link(taken.images, into: snapshot)
    }
    return snapshot
  }

  /// The number of segmentations of a series that the process did not survive.
  func attempts(of taken: Taken) -> Int { SeriesFolder(taken.uid, in: seriesFolder).attempts }

  func setAttempts(_ count: Int, of taken: Taken) throws {
    try SeriesFolder(taken.uid, in: seriesFolder).write(attempts: count)
  }

  /// Removes the images of series that have had nothing to do for so many seconds. Records stay, and failed series too.
  func removeImages(olderThan age: TimeInterval) {
    for uid in (try? FileManager.default.contentsOfDirectory(atPath: seriesFolder.path)) ?? [] where isUID(uid) {
      lock.withLock {
        let series = SeriesFolder(uid, in: seriesFolder)
        guard open[uid] == nil, let recorded = series.recorded, -recorded.timeIntervalSinceNow >= age,
          let step = series.record?.step, step == .stored || step == .unnamed
        else { return }
        series.removeImages()
      }
    }
  }
}
