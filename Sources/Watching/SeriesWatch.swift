import Basics
import Datasets
import DualNorm
package import Foundation
import MedicalImaging
import Scores

/// Segments the series of a queue as they become whole, by the first rule that takes each, and stores the masks.
package actor SeriesWatch {
  private let queue: SeriesQueue
  private let rules: [SeriesRule]
  private let settings: Settings
  private let report: @Sendable (WatchEvent) -> Void
  private var pauses = ServerPauses()
  private var nextCleaning = ContinuousClock.now

  package struct Settings: Sendable {
    /// Seconds without a new image after which a series counts as whole.
    package var stableAge: TimeInterval
    /// Seconds for which the images of a finished series stay.
    package var keep: TimeInterval

    package init(stableAge: TimeInterval, keep: TimeInterval) { (self.stableAge, self.keep) = (stableAge, keep) }
  }

  package init(
    _ queue: SeriesQueue, _ rules: [SeriesRule], _ settings: Settings,
    report: @escaping @Sendable (WatchEvent) -> Void
  ) {
    (self.queue, self.rules, self.settings, self.report) = (queue, rules, settings, report)
  }

  /// Works until told to stop. A segmentation that is stopped begins anew with the next process.
  ///
  /// - Throws: `Refusal` if the queue cannot be written.
  package func run(goesOn: @escaping @Sendable () -> Bool) async throws {
    while goesOn() {
      clean()
      if let taken = queue.next(age: settings.stableAge, canStore: { mayStore($0) }) {
        do { try await work(on: taken, goesOn) } catch is CancellationError { queue.giveBack(taken) }
      } else {
        try await Task.sleep(for: .milliseconds(200))
      }
    }
  }

  private func clean() {
    guard .now >= nextCleaning else { return }
    nextCleaning = .now + .seconds(60)
    // A series that is coming is not removed under its sender.
    queue.removeImages(olderThan: max(settings.keep, settings.stableAge))
  }

  private func mayStore(_ record: SeriesRecord) -> Bool { record.server.map { pauses.mayAsk($0) } ?? true }

  private func work(on taken: SeriesQueue.Taken, _ goesOn: @escaping @Sendable () -> Bool) async throws {
    switch taken.task {
    case .nothing: queue.giveBack(taken)
    case .segment: try await segment(taken, goesOn)
    case .store(let record): try await store(taken, record, goesOn)
    case .refuseRest:
      try fail(
        taken,
        "\(counted(taken.images.count, "image")) came after the series was segmented and removed from the queue; send "
          + "the whole series again.")
    }
  }

  /// The name of the images' folder in sentences that a reader or a network makes.
  private static let subject = "the series"

  /// A sentence without its subject, since messages and records name the series.
  private func withoutSubject(_ sentence: String) -> String {
    let subject = Self.subject + ": "
    return sentence.hasPrefix(subject) ? String(sentence.dropFirst(subject.count)) : sentence
  }

  private func fail(_ taken: SeriesQueue.Taken, _ reason: String, rule: SeriesRule? = nil) throws {
    var record = SeriesRecord(.failed, taken.images)
    (record.reason, record.rule) = (reason, rule?.name)
    try queue.finish(taken, record)
    report(.failed(series: taken.uid, reason))
  }

  private func refuseRest(_ taken: SeriesQueue.Taken, _ all: Set<String>) throws {
    let there = counted(taken.images.count, "image")
    let reason =
      "\(there) of \(all.count) are here, since the others were segmented and removed before; send the whole series again."
    var record = SeriesRecord(.failed, all)
    (record.reason, record.isPart) = (reason, true)
    try queue.finish(taken, record)
    report(.failed(series: taken.uid, reason))
  }

  // MARK: - Segmenting

  private func segment(_ taken: SeriesQueue.Taken, _ goesOn: @escaping @Sendable () -> Bool) async throws {
    let attempts = queue.attempts(of: taken)
    guard attempts < Self.mostAttempts else {
      return try fail(taken, "the program ended \(attempts) times while it segmented these images.")
    }
    var rule: SeriesRule?
    do {
      let images = try queue.linkedImages(of: taken)
      defer { try? FileManager.default.removeItem(at: images) }
      PathNames.give(Self.subject, to: images)
      let header = try SeriesHeader(contentsOf: images.appendingPathComponent("\(taken.images.min()!).dcm"))
      rule = rules.first { $0.takes(header, images: taken.images.count) }
      guard let rule else {
        try queue.finish(taken, SeriesRecord(.unnamed, taken.images))
        return report(.unnamed(series: taken.uid, images: taken.images.count))
      }
      try queue.setAttempts(attempts + 1, of: taken)
      try await segment(images, taken, rule, goesOn)
    } catch {
      // This process has survived.
      try? queue.setAttempts(attempts, of: taken)
      try take(error, taken, rule)
    }
  }

  /// - Throws: `CancellationError` alone; no fault of a series or of the disk ends the program.
  private func take(_ error: any Error, _ taken: SeriesQueue.Taken, _ rule: SeriesRule?) throws {
    switch error {
    case is CancellationError: throw error
    case is SeriesFolder.ImageIsGone: try queue.beginAnew(taken)
    case let refusal as Refusal where refusal.kind == .file:
      queue.giveBack(taken, after: Self.pauseOfDisk)
      report(.delayed(series: taken.uid, "\(refusal)", seconds: Self.pauseOfDisk))
    default: try fail(taken, withoutSubject("\(error)"), rule: rule)
    }
  }

  /// Segments images, writes the mask into the queue, and records it.
  private func segment(
    _ images: URL, _ taken: SeriesQueue.Taken, _ rule: SeriesRule, _ goesOn: @escaping @Sendable () -> Bool
  ) async throws {
    var options = rule.options
    options.progress = { _, _ in goesOn() }
    let segments = rule.service.description.labels.dicomSegments
    let (series, doubts) = try await offPool {
      try Warnings.collecting {
        let series = try DICOMSeries(contentsOf: images, series: taken.uid)
        try series.requireSegmentable(as: segments)
        return series
      }
    }
    let scan = Case(name: taken.uid, site: "input", sources: [.series(images, choice: taken.uid)], mask: nil)
    let found = try await rule.service.segmentWithDoubts(scan, named: "this series", options)
    guard goesOn() else { throw CancellationError() }
    let (_, last) = try Warnings.collecting {
      try found.last.labels.writeSegmentation(
        to: queue.mask(of: taken), of: series, segments: segments, softwareVersion: programVersion)
    }
    var record = SeriesRecord(.segmented, taken.images)
    (record.rule, record.server, record.seconds) = (rule.name, rule.server.name, found.seconds)
    record.warnings = (doubts + found.warnings + last).map(withoutSubject).firstOccurrences
    try queue.finish(taken, record)
    report(.segmented(series: taken.uid, images: taken.images.count, rule: rule.name, seconds: found.seconds))
    for warning in record.warnings { report(.doubt(series: taken.uid, warning)) }
  }

  /// Seconds after which the disk is tried again.
  private static let pauseOfDisk = 60.0
  /// The number of processes that may end while they segment a series.
  private static let mostAttempts = 3

  // MARK: - Storing

  private func store(
    _ taken: SeriesQueue.Taken, _ record: SeriesRecord, _ goesOn: @escaping @Sendable () -> Bool
  ) async throws {
    let (mask, address) = (queue.mask(of: taken), record.server ?? "")
    guard let server = rules.map(\.server).first(where: { $0.name == address }) else {
      // It stays taken, so that it is told once.
      return report(.orphaned(series: taken.uid, server: address))
    }
    guard FileManager.default.isReadableFile(atPath: mask.path) else { return try queue.beginAnew(taken) }
    do {
      try await offPool { try server.store([mask]) { _, _ in goesOn() } }
    } catch let refusal as Refusal {
      guard goesOn() else { throw CancellationError() }
      let seconds = pauses.fail(address)
      queue.giveBack(taken, after: seconds)
      return report(.delayed(series: taken.uid, "\(refusal)", seconds: seconds))
    }
    pauses.succeed(address)
    var record = record
    record.step = .stored
    try queue.finish(taken, record)
    report(.stored(series: taken.uid, server: address))
  }
}
