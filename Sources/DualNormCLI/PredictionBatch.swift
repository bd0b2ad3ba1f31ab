import DualNorm
import Foundation
import Scores

/// Segments volumes one after the other: meanwhile the next one is read and the last one's results are written.
///
/// A volume that cannot be used is a failure of its own; what cannot be written ends the batch.
final class PredictionBatch {
  private(set) var found: [FoundVolumes] = []
  private(set) var failures: [CaseFailure] = []

  // The files of other cases are read meanwhile, which takes no more of the model than its description.
  nonisolated(unsafe) private let model: SegmentationModel
  private let adapter: Adapter
  private let site: String?
  private let largestComponent: LargestComponentChoice
  private let outputs: PredictionOutputs
  private let progress: Progress
  private var far: FarVolumes
  private var reading: Future<PreparedCase>?
  private var writing: (job: PredictionJob, done: Future<FoundVolumes>)?

  /// - Parameter site: takes the place of the folders' names.
  init(
    _ model: SegmentationModel, _ adapter: Adapter, site: String?, largestComponent: LargestComponentChoice,
    outputs: PredictionOutputs, progress: Progress
  ) {
    (self.model, self.adapter, self.site) = (model, adapter, site)
    far = FarVolumes(model.description)
    (self.largestComponent, self.outputs, self.progress) = (largestComponent, outputs, progress)
  }

  /// - Throws: `Refusal` where something cannot be written; `ExitCode` after Ctrl-C.
  func run(_ jobs: [PredictionJob]) throws {
    // Nothing runs on when an error ends the command, and what was segmented is written.
    defer {
      _ = try? reading?.value()
      do { try finishWriting() } catch { Messages.show(error: "\(error)") }
    }
    defer { far.report() }
    reading = jobs.first.map(read)
    for (place, job) in jobs.enumerated() {
      do {
        let item = try next(then: place + 1 < jobs.count ? jobs[place + 1] : nil)
        far.add(item)
        let start = Date()
        let results = try segment(consume item, of: job)
        try finishWriting()
        write(results, of: job, seconds: -start.timeIntervalSinceNow)
      } catch  where CaseFailure.isOfOneCase(error) {
        fail(job, error)
      }
    }
    try finishWriting()
    progress.clear()
  }

  private func read(_ job: PredictionJob) -> Future<PreparedCase> {
    nonisolated(unsafe) let model = model
    return Future {
      try job.requireSegmentable(model.description.labels)
      return try model.prepared(job.scan)
    }
  }

  /// The volume that was read meanwhile. The one of `job` is read from now on.
  private func next(then job: PredictionJob?) throws -> PreparedCase {
    let item = Result { try reading!.value() }
    reading = nil
    if Interruption.isRequested {
      try finishWriting()
      try stopIfInterrupted(
        progress, "\(progress.done) of \(progress.total) volumes are done; --skip-existing goes on with the others")
    }
    reading = job.map(read)
    return try item.get()
  }

  private func segment(_ item: consuming PreparedCase, of job: PredictionJob) throws -> [SegmentationModel.Segmentation]
  {
    let site = site ?? job.site
    let statistics = try adapter.statistics(for: item, site: site)
    return model.segment(
      consume item, passes: outputs.passes, site: site, statistics: statistics, largestComponent: largestComponent,
      keepsProbabilities: outputs.probabilities)
  }

  private func write(_ results: [SegmentationModel.Segmentation], of job: PredictionJob, seconds: Double) {
    let (labels, outputs) = (model.description.labels, outputs)
    writing = (
      job,
      Future {
        try job.write(results, outputs, labels: labels)
        return FoundVolumes(
          in: results.last!.labels, scheme: labels, of: job.scan, named: job.title, seconds: seconds)
      }
    )
  }

  private func finishWriting() throws {
    guard let (job, done) = writing else { return }
    writing = nil
    do {
      found.append(try done.value())
      progress.advance(job.title)
    } catch  where CaseFailure.isOfOneCase(error) {
      fail(job, error)
    }
  }

  private func fail(_ job: PredictionJob, _ error: any Error) {
    failures.append(CaseFailure(job.title, error))
    progress.advance(job.title)
  }
}
