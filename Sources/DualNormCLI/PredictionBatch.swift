import ArgumentParser
import Basics
import Datasets
import DualNorm
import Foundation
import Scores
import Torch

/// Segments the volumes of a command, shows progress and collects the results.
///
/// An unusable volume fails alone. A result that cannot be written ends the batch.
struct PredictionBatch: Sendable {
  /// The run folders of the members.
  let runs: [RunFolder]
  let mirrors: Bool
  let description: ModelDescription
  let precision: Precision?
  let device: Device
  let threads: Int?
  let overlap: Double
  let adaptation: Adaptation
  /// All named volumes, even finished ones: a site's batch statistics cover them.
  let cases: [Case]
  /// Site that replaces the folders' names.
  let site: String?
  let largestComponent: LargestComponentChoice
  let outputs: PredictionOutputs
  let quiet: Bool

  /// Results and failures of the volumes.
  struct Outcome: Sendable {
    var found: [FoundVolumes] = []
    /// Empty unless a file for them is named.
    var statistics: [ClassStatistics] = []
    var failures: [CaseFailure] = []
    /// The masks that were written, in the format of the output.
    var masks: [URL] = []
  }

  /// - Throws: `Refusal` if something cannot be written; `ExitCode` after Ctrl-C. Failures so far are shown first.
  func segment(_ jobs: [PredictionJob]) async throws -> Outcome {
    let service = try await PredictionService(
      contentsOf: runs, mirrors: mirrors, precision: precision, device: device, threads: threads, overlap: overlap)
    if adaptation != .none {
      try await service.adapt(
        adaptation, cases: cases, progress: showMeasuring("some volumes are done", quiet: quiet))
    }
    let progress = Progress("volumes", of: jobs.count, quiet: quiet)
    var (outcome, far) = (Outcome(), FarVolumes(description))
    let queue = PredictionQueue(service, steps)
    do {
      try await queue.run(
        jobs, shouldStop: Interruption.requested, prepared: { far.add($0) },
        done: { job, result in
          switch result {
          case .success(let (found, statistics)):
            outcome.found.append(found)
            outcome.statistics += statistics
            outcome.masks.append(job.file(""))
          case .failure(let error): outcome.failures.append(CaseFailure(job.title, error))
          }
          progress.advance(job.title)
        })
    } catch {
      progress.clear()
      try? writeStatistics(outcome)
      let isStopped = error is StopRequested
      if isStopped {
        let next = outputs.statistics.map { "\($0.path) has these alone, and the same command makes it whole" }
        Messages.show(
          "Stopped; \(progress.done) of \(progress.total) volumes are done; "
            + (next ?? "--skip-existing goes on with the others") + ".")
      }
      far.report()
      showFailures(outcome.failures, of: jobs.count, "inputs")
      throw isStopped ? ExitCode(Interruption.exitCode) : error
    }
    progress.clear()
    far.report()
    try writeStatistics(outcome)
    return outcome
  }

  private func writeStatistics(_ outcome: Outcome) throws {
    guard let file = outputs.statistics, !outcome.found.isEmpty else { return }
    try ClassStatistics.write(outcome.statistics, modalities: description.modalities, to: file)
  }

  private var steps: PredictionQueue<PredictionJob, (FoundVolumes, [ClassStatistics])>.Steps {
    let (description, labels, outputs) = (description, description.labels, outputs)
    return .init(
      read: { job in
        try job.requireSegmentable(labels)
        return try description.prepared(job.scan)
      },
      options: { [site, largestComponent] job in
        SegmentationOptions(
          passes: outputs.passes, site: site ?? job.site, largestComponent: largestComponent,
          keepsProbabilities: outputs.probabilities, keepsUncertainty: outputs.uncertainty)
      },
      write: { job, results, seconds in
        try job.write(results, outputs, by: description)
        let mask = results.last!.labels
        let found = FoundVolumes(
          in: mask, scheme: labels, of: job.scan, named: job.title, seconds: seconds,
          uncertainty: results.last!.uncertainty?.ofCase)
        guard outputs.statistics != nil else { return (found, []) }
        let modalities = description.modalities.count
        return (
          found, try ClassStatistics.of(mask, labels, job.scan, named: job.title, modalities: modalities)
        )
      })
  }
}
