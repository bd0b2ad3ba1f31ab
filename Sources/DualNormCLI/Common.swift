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

func useThreads(_ threads: Int?) throws {
  try requireThreads(threads)
  LibTorch.configure(threads: threads ?? ProcessInfo.processInfo.activeProcessorCount)
}

/// Ends the command after Ctrl-C, saying what is left behind.
func stopIfInterrupted(_ progress: Progress, _ remains: String) throws {
  guard Interruption.isRequested else { return }
  progress.clear()
  printError("Stopped; \(remains).")
  throw ExitCode(Interruption.exitCode)
}
