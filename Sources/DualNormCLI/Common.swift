import ArgumentParser
import Basics
import DualNorm
import Foundation
import Scores
import Torch

func validateTolerances(_ tolerance: NumberList<Double>) throws {
  let values = tolerance.values
  guard values.allSatisfy({ $0.sign == .plus && $0.isFinite }), Set(values).count == values.count else {
    throw ValidationError("--tolerance \(tolerance): tolerances are different lengths from 0 mm on, such as 0,1,2.")
  }
}

func useThreads(_ threads: Int?) throws {
  try requireThreads(threads)
  LibTorch.configure(threads: threads ?? ProcessInfo.processInfo.activeProcessorCount)
}

extension Adaptation: ExpressibleByArgument {}

/// Warns if the network has no batch norm to adapt.
func warnOfIdleAdaptation(_ adaptation: Adaptation, _ model: SegmentationModel) {
  let network = model.description.network
  guard adaptation != .none, !network.usesBatchNorm else { return }
  Warnings.report(
    "--adapt \(adaptation.rawValue) changes nothing: the model's norm is \(network.norm.rawValue), without "
      + "batch statistics.")
}

/// Shows the progress of measuring a site's statistics for `--adapt`. Ctrl-C ends the command between batches.
func showMeasuring(_ remains: String, quiet: Bool) -> (Int, Int) throws -> Void {
  var progress = Progress("batches of the site", of: 0, quiet: true)
  return { done, total in
    if done == 1 { progress = Progress("batches of the site", of: total, quiet: quiet) }
    progress.advance()
    if done == total { progress.clear() }
    try stopIfInterrupted(progress, remains)
  }
}

/// Ends the command after Ctrl-C, and says what remains.
func stopIfInterrupted(_ progress: Progress, _ remains: String) throws {
  guard Interruption.isRequested else { return }
  progress.clear()
  Messages.show("Stopped; \(remains).")
  throw ExitCode(Interruption.exitCode)
}

/// Lists the cases of a batch that failed, with their reasons.
func showFailures(_ failures: [CaseFailure], of total: Int, _ unit: String) {
  guard !failures.isEmpty else { return }
  let reasons = failures.map(\.reason)
  let summary = "\(failures.count) of \(total) \(unit) failed"
  Messages.print(
    Messages.format == .text ? "Error: \(summary):\n  " + reasons.joined(separator: "\n  ") : nil,
    LogLine(error: summary, reasons: reasons))
}

/// Ends a command whose batch continued after failures. If it had one item only, the reason becomes the error.
func endWithFailures(_ failures: [CaseFailure], of total: Int, _ unit: String) throws {
  guard !failures.isEmpty else { return }
  guard total > 1 else { throw Refusal(.input, sentence: failures[0].reason) }
  showFailures(failures, of: total, unit)
  throw ExitCode.failure
}

/// Quotes a word for a shell.
func shellQuoted(_ word: String) -> String {
  let isPlain = word.unicodeScalars.allSatisfy { scalar in
    scalar.properties.isAlphabetic || ("0"..."9").contains(scalar) || "-_./,+=:@%".unicodeScalars.contains(scalar)
  }
  return isPlain && !word.isEmpty ? word : "'" + word.replacingOccurrences(of: "'", with: "'\\''") + "'"
}
