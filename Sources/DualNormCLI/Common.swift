import ArgumentParser
import DualNorm
import Foundation
import Torch

func validateTolerances(_ tolerance: NumberList<Double>) throws {
  guard tolerance.values.allSatisfy({ $0 > 0 && $0.isFinite }), Set(tolerance.values).count == tolerance.values.count
  else {
    throw ValidationError("--tolerance \(tolerance): tolerances are different lengths above 0 mm, such as 1,2.")
  }
}

func validateThreads(_ threads: Int?) throws {
  if let threads, threads < 1 { throw ValidationError("--threads \(threads): give at least 1.") }
}

func useThreads(_ threads: Int?) {
  LibTorch.threads = threads ?? ProcessInfo.processInfo.activeProcessorCount
}

/// Ends the command after Ctrl-C, saying what is left behind.
func stopIfInterrupted(_ progress: Progress, _ remains: String) throws {
  guard Interruption.isRequested else { return }
  progress.clear()
  printError("Stopped; \(remains).")
  throw ExitCode(Interruption.exitCode)
}
