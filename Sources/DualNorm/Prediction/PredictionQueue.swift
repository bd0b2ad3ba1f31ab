import Basics
import Foundation
import Scores

/// Segments cases in order with a service, while it reads the next case and writes the previous case's results.
package struct PredictionQueue<Job: Sendable, Output: Sendable>: Sendable {
  /// The steps for each case. `read` and `write` run on any thread.
  package struct Steps: Sendable {
    let read: @Sendable (Job) throws -> PreparedCase
    let options: @Sendable (Job) -> SegmentationOptions
    let write: @Sendable (Job, [SegmentationModel.Segmentation], _ seconds: Double) throws -> Output

    package init(
      read: @escaping @Sendable (Job) throws -> PreparedCase,
      options: @escaping @Sendable (Job) -> SegmentationOptions,
      write: @escaping @Sendable (Job, [SegmentationModel.Segmentation], _ seconds: Double) throws -> Output
    ) {
      (self.read, self.options, self.write) = (read, options, write)
    }
  }

  private let service: PredictionService
  private let steps: Steps

  package init(_ service: PredictionService, _ steps: Steps) { (self.service, self.steps) = (service, steps) }

  /// - Parameters:
  ///   - shouldStop: called before each case is segmented; true stops the queue.
  ///   - prepared: called with each case before it is segmented.
  ///   - done: called with the outcome of each case, in order.
  /// - Throws: `StopRequested`, or an error that concerns more than one case (`CaseFailure.isOfOneCase`). The results
  ///   of all segmented cases are written first.
  package func run(
    _ jobs: [Job], shouldStop: () -> Bool, prepared: (PreparedCase) -> Void,
    done: (Job, Result<Output, any Error>) -> Void
  ) async throws {
    var reading = jobs.first.map(read)
    var writing: (job: Job, output: Task<Output, any Error>)?
    func finishWriting() async throws {
      guard let (job, output) = writing else { return }
      writing = nil
      let result = await output.result
      if case .failure(let error) = result, !CaseFailure.isOfOneCase(error) { throw error }
      done(job, result)
    }
    do {
      for (place, job) in jobs.enumerated() {
        var item: Result<PreparedCase, any Error>? = await reading!.result
        reading = nil
        if shouldStop() { throw StopRequested() }
        reading = place + 1 < jobs.count ? read(jobs[place + 1]) : nil
        do {
          let item = try item.take()!.get()  // the only one, so that its intensities can be freed
          prepared(item)
          let start = Date()
          let masks = try await service.segment(consume item, steps.options(job))
          let seconds = -start.timeIntervalSinceNow
          try await finishWriting()
          writing = (job, Task.detached { [steps] in try steps.write(job, masks, seconds) })
        } catch  where CaseFailure.isOfOneCase(error) {
          try await finishWriting()
          done(job, .failure(error))
        }
      }
      try await finishWriting()
    } catch {
      _ = await reading?.result  // an error leaves no task running
      try await finishWriting()
      throw error
    }
  }

  private func read(_ job: Job) -> Task<PreparedCase, any Error> {
    Task.detached { [steps] in try steps.read(job) }
  }
}
