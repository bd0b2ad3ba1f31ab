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

  /// A series with something to do, or one that images came of lately.
  private struct Open {
    var images: Set<String>
    let record: SeriesRecord?
    /// Follows from the two above; kept, since it is asked for often.
    var task: SeriesTask
    var lastImage = ContinuousClock.now
    /// The time before which it is not taken, after so many tries that failed.
    var (pause, tries) = (ContinuousClock.now, 0)
    var isTaken = false
    /// Tells whether an image was replaced by another one since it was taken.
    var isChanged = false

    init(_ images: Set<String>, _ record: SeriesRecord?) {
      (self.images, self.record, task) = (images, record, SeriesTask(images, record))
    }

    mutating func add(_ image: String) {
      (images, lastImage) = (images.union([image]), .now)
      task = SeriesTask(images, record)
    }
  }

  /// Opens a queue, or makes one that only this user may read.
  ///
  /// - Parameter retries: whether series that failed, or that no rule took, are tried again.
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
      if retries, let record = try series.record, !record.isPart, [.failed, .unnamed].contains(record.step) {
        series.removeRecord()
      }
      try refresh(series)
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
    guard hasRoom, sync(image.file) else { return .outOfResources }
    return lock.withLock {
      do {
        try add(image.file, image.instance, to: SeriesFolder(uid, in: seriesFolder))
        return .stored
      } catch {
        return .outOfResources
      }
    }
  }

  /// Syncs a file before the lock is taken, under which others wait.
  private func sync(_ file: URL) -> Bool {
    let descriptor = Foundation.open(file.path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC)
    guard descriptor >= 0 else { return false }
    defer { close(descriptor) }
    return fsync(descriptor) == 0
  }

  private func add(_ file: URL, _ instance: String, to series: SeriesFolder) throws {
    let addition = try series.add(file, instance)
    // A long series is not listed anew for each of its images.
    if open[series.uid] == nil { try refresh(series) }
    switch addition {
    case .known: open[series.uid]?.lastImage = .now
    case .new: open[series.uid]?.add(instance)
    case .replaced:
      if open[series.uid]?.isTaken == true {
        open[series.uid]?.isChanged = true
      } else {
        series.removeRecord()
        try refresh(series)
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
  private func refresh(_ series: SeriesFolder) throws {
    let images = series.images
    open[series.uid] = images.isEmpty ? nil : Open(images, try series.record)
  }

  // MARK: - Tasks

  /// The number of series that something is to be done with.
  package var count: Int { lock.withLock { open.values.count { $0.task != .nothing } } }

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
      let now = ContinuousClock.now
      func isDue(_ open: Open) -> Bool {
        guard !open.isTaken, now >= open.pause else { return false }
        switch open.task {
        case .nothing: return false
        case .store(let record): return canStore(record)
        case .segment, .refuseRest: return now - open.lastImage >= .seconds(age)
        }
      }
      func order(_ open: Open) -> (Int, Int, ContinuousClock.Instant) {
        if case .store = open.task { (0, open.tries, open.lastImage) } else { (1, open.tries, open.lastImage) }
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
      if open[taken.uid]?.isChanged == true { series.removeRecord() } else { try series.write(record) }
      try refresh(series)
    }
  }

  /// Leaves a task for later, at once or after so many seconds.
  func giveBack(_ taken: Taken, after seconds: TimeInterval = 0) {
    lock.withLock {
      open[taken.uid]?.isTaken = false
      guard seconds > 0 else { return }
      open[taken.uid]?.pause = .now + .seconds(seconds)
      open[taken.uid]?.tries += 1
    }
  }

  /// Begins a series anew by the images that are there.
  func beginAnew(_ taken: Taken) throws {
    try lock.withLock {
      let series = SeriesFolder(taken.uid, in: seriesFolder)
      series.removeRecord()
      try refresh(series)
    }
  }

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
        guard open[uid]?.task ?? .nothing == .nothing, let changed = series.lastChange, -changed.timeIntervalSinceNow >= age,
          let step = (try? series.record)?.step, step == .stored || step == .unnamed
        else { return }
        series.removeImages()
        open[uid] = nil
      }
    }
  }
}
