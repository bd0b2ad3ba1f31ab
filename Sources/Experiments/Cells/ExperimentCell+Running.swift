import Basics
import Datasets
import DualNorm
import Foundation
import Scores
import Torch

extension Experiment {
  /// A report from a running cell.
  package enum CellEvent: Sendable {
    /// Steps done (see `ExperimentCell.steps`), including steps of an earlier, stopped start.
    case steps(Int, resumed: Bool)
    case message(String)
  }

  /// Trains and tests a cell, resuming an earlier start, until `shouldStop` returns true.
  ///
  /// - Parameter keepMasks: whether the masks and a picture of them stay beside the scores.
  /// - Returns: whether the cell is finished.
  /// - Throws: `Refusal` or another error that names the unusable input.
  package func run(
    _ cell: ExperimentCell, keepMasks: Bool, shouldStop: @escaping () -> Bool, report: (CellEvent) -> Void
  ) throws -> Bool {
    if cell.isFinished { return true }
    try makeFolder(cell.run.url)
    let lock = try FolderLock(cell.run.url)
    defer { withExtendedLifetime(lock) {} }
    try removeRemains(of: cell)
    if !FileManager.default.fileExists(atPath: cell.run.model.path) {
      guard try train(cell, lock, shouldStop: shouldStop, report: report) else { return false }
    } else {
      LibTorch.configure(threads: cell.configuration.threads ?? ProcessInfo.processInfo.activeProcessorCount)
      report(.steps(cell.iterations, resumed: true))
    }
    return try evaluate(cell, keepMasks: keepMasks, shouldStop: shouldStop, report: report)
  }

  /// Removes the remains of a killed process: parts of files, and a run folder without a checkpoint to resume from.
  private func removeRemains(of cell: ExperimentCell) throws {
    let manager = FileManager.default
    let folder = cell.run.url
    guard manager.fileExists(atPath: folder.path) else { return }
    let canGoOn = [cell.run.last, cell.run.model].contains { manager.fileExists(atPath: $0.path) }
    let names = manager.enumerator(atPath: folder.path)?.allObjects.compactMap { $0 as? String } ?? []
    for name in names {
      let url = folder.appendingPathComponent(name)
      // Another process may be writing a report of this run.
      if isPartialFile(url.lastPathComponent) {
        removePartialFile(url)
        continue
      }
      let stays = canGoOn || [cell.run.cellLog.lastPathComponent, FolderLock.fileName].contains(name)
      guard !stays, manager.fileExists(atPath: url.path) else { continue }
      try manager.removeItem(at: url)
    }
    if manager.fileExists(atPath: cell.evaluation.path) { try manager.removeItem(at: cell.evaluation) }
  }

  private func train(
    _ cell: ExperimentCell, _ lock: FolderLock, shouldStop: () -> Bool, report: (CellEvent) -> Void
  ) throws -> Bool {
    func say(_ message: TrainingSession.Message) {
      if case .sentence(let sentence) = message { report(.message(sentence)) }
    }
    let session =
      FileManager.default.fileExists(atPath: cell.run.last.path)
      ? try TrainingSession.resume(cell.run, lock: lock)
      : try TrainingSession.begin(
        cell.run, configuration: cell.configuration, data: data, split: split(of: cell), report: say, lock: lock)
    let trainer = try session.trainer()
    try cell.run.keep(Warnings.reported)
    var done = trainer.finishedIterations
    report(.steps(done, resumed: true))
    return try trainer.train(shouldStop: shouldStop) { progress in
      done += 1
      report(.steps(done, resumed: false))
      if let validation = progress.validation {
        say(.sentence("\(progress.stage.rawValue) \(progress.iteration)/\(progress.iterations): \(validation)"))
      }
    }
  }

  private struct Stopped: Error {}

  private func evaluate(
    _ cell: ExperimentCell, keepMasks: Bool, shouldStop: @escaping () -> Bool, report: (CellEvent) -> Void
  ) throws -> Bool {
    func stopIfAsked() throws {
      if shouldStop() { throw Stopped() }
    }
    let tested = Set(cell.setting.cases.test)
    let model = try SegmentationModel(contentsOf: cell.run, device: configuration.training.device.resolved())
    var done = cell.iterations - 1
    let evaluation: Evaluation
    do {
      evaluation = try model.evaluate(
        data.dataset.cases.filter { tested.contains($0.identifier) },
        EvaluationOptions(
          adaptation: model.description.network.usesBatchNorm ? configuration.adaptation : .none,
          largestComponent: configuration.largestComponent),
        writingTo: keepMasks ? cell.evaluation : nil, measuring: { _, _ in try stopIfAsked() },
        progress: { _ in
          try stopIfAsked()
          done += 1
          report(.steps(done, resumed: false))
        })
    } catch is Stopped {
      return false
    }
    try cell.run.keep(Warnings.reported)
    try evaluation.write(
      to: cell.evaluation, classNames: model.description.labels.names, picture: keepMasks ? .worstMedianAndBest : nil)
    try ResultTable(
      evaluation.table, method: cell.method.name, fold: cell.setting.fold, seed: cell.seed,
      trainSites: cell.setting.trainSites
    ).write(to: cell.results)
    return true
  }
}

extension Experiment {
  /// The results of the finished cells, methods in the experiment's order.
  ///
  /// - Throws: `Refusal` for a damaged `results.csv`.
  package func results() throws -> ResultTable {
    let order = configuration.methods
    let finished = cells.filter(\.isFinished).sorted {
      order.firstIndex(of: $0.method) ?? 0 < order.firstIndex(of: $1.method) ?? 0
    }
    return try ResultTable(merging: finished.map { try ResultTable(contentsOf: $0.results) })
  }
}
