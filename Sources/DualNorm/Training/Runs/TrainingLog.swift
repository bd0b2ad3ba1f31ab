import Basics
import Foundation
import Scores

/// A run's report after each iteration.
package struct TrainingProgress: Sendable {
  package let stage: Stage
  /// Number of finished iterations of the stage, and of all.
  package let iteration: Int
  package let iterations: Int
  package let learningRate: Double
  package let losses: [StepLoss]
  /// The validation after this iteration; nil if there was none.
  package let validation: ValidationScore?
}

/// The file `log.csv`: one row per iteration; rows with a validation also have its columns.
final class TrainingLog {
  private let url: URL
  private let sites: [String]
  private let file: FileHandle

  /// Opens the log. Drops the rows after `state`, which a resumed run writes again, and an incomplete last row, which a
  /// full disk leaves.
  static func open(_ url: URL, sites: [String], resumingAt state: TrainingState?) throws -> TrainingLog {
    let header =
      "stage,iteration,learning_rate,loss_first,loss_final,hard_dice_loss,validation_dice"
      + sites.map { "," + quotedForCSV("validation_dice_" + $0) }.joined() + "\n"
    var kept: [Substring] = []
    if let state, let text = try? String(contentsOf: url, encoding: .utf8) {
      let order = { (stage: Stage) in Stage.allCases.firstIndex(of: stage)! }
      let whole = text[..<(text.lastIndex(of: "\n") ?? text.startIndex)]
      kept = whole.split(separator: "\n").dropFirst().filter { row in
        let fields = row.split(separator: ",", omittingEmptySubsequences: false)
        guard let stage = Stage(rawValue: String(fields[0])), fields.count > 1, let iteration = Int(fields[1]) else {
          return false
        }
        return order(stage) < order(state.stage) || (stage == state.stage && iteration <= state.iteration)
      }
    }
    try writeAtomically(Data((header + kept.map { $0 + "\n" }.joined()).utf8), to: url)
    let descriptor = Foundation.open(url.path, O_WRONLY | O_APPEND | O_NOFOLLOW | O_CLOEXEC)
    guard descriptor >= 0 else { throw unwritable(url, errno) }
    return TrainingLog(url, sites: sites, FileHandle(fileDescriptor: descriptor, closeOnDealloc: true))
  }

  private init(_ url: URL, sites: [String], _ file: FileHandle) {
    (self.url, self.sites, self.file) = (url, sites, file)
  }

  func append(_ progress: TrainingProgress) throws {
    func loss(_ pass: Pass) -> String { progress.losses.first { $0.pass == pass }.map { "\($0.value)" } ?? "" }
    var row =
      "\(progress.stage.rawValue),\(progress.iteration),\(progress.learningRate),\(loss(.first)),\(loss(.final)),"
    row += progress.losses.last.map { "\($0.hardDice)," } ?? ","
    row += progress.validation?.dice.map { "\($0)" } ?? ""
    for site in sites { row += "," + (progress.validation?.diceBySite[site].map { "\($0)" } ?? "") }
    let isWritten = Data((row + "\n").utf8).withUnsafeBytes { writeAll($0, to: file.fileDescriptor) }
    guard isWritten else { throw unwritten(errno) }
  }

  /// Waits until all rows are on disk; a checkpoint relies on them.
  func sync() throws {
    guard fsync(file.fileDescriptor) == 0 else { throw unwritten(errno) }
  }

  private func unwritten(_ code: Int32) -> Refusal {
    let run = RunFolder(url.deletingLastPathComponent())
    return unwritable(url, code, remark: run.hasCheckpoint ? "the last checkpoint is intact" : nil)
  }
}
