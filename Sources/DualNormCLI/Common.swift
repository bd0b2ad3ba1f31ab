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

/// - Throws: `Refusal` for more threads than cores.
func requireThreads(_ threads: Int?) throws {
  var options = TrainingConfiguration()
  options.threads = threads
  try TrainingOption[.threads]!.check(options)
}

func useThreads(_ threads: Int?) throws {
  try requireThreads(threads)
  LibTorch.configure(threads: threads ?? ProcessInfo.processInfo.activeProcessorCount)
}

extension Adaptation: ExpressibleByArgument {}

/// A network without batch norm has nothing that could be adapted.
func warnOfIdleAdaptation(_ adaptation: Adaptation, _ model: ModelDescription) {
  let network = model.network
  guard adaptation != .none, !model.networks.contains(where: \.usesBatchNorm) else { return }
  Warnings.report(
    "--adapt \(adaptation.rawValue) changes nothing: the model's norm is \(network.norm.rawValue), without "
      + "batch statistics.")
}

/// Shows how far the batches of a site are that `--adapt` takes statistics of; Ctrl-C ends the command between two.
func showMeasuring(_ remains: String, quiet: Bool) -> @Sendable (Int, Int) throws -> Void {
  let progress = ThreadSafeProgress("batches of the site", quiet: quiet)
  return { done, total in
    progress.update(done, of: total)
    let isStopped = Interruption.isRequested
    if done == total || isStopped { progress.end() }
    if isStopped { throw stopped(remains) }
  }
}

/// Ends the command after Ctrl-C, and says what remains.
func stopIfInterrupted(_ progress: Progress, _ remains: String) throws {
  guard Interruption.isRequested else { return }
  progress.clear()
  throw stopped(remains)
}

/// Says what Ctrl-C leaves behind.
func stopped(_ remains: String) -> ExitCode {
  Messages.show("Stopped; \(remains).")
  return ExitCode(Interruption.exitCode)
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
