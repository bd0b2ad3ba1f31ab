import ArgumentParser
import DualNorm

/// The overlap of a network's windows.
struct OverlapOption: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "Share of a window that the next one sees again, from 0 to 0.9, where slices are larger than the network.",
      valueName: "share"))
  var overlap = defaultOverlap

  func validate() throws {
    guard (0...0.9).contains(overlap) else {
      throw ValidationError("--overlap \(overlap): expected a share from 0 (windows side by side) to 0.9, such as 0.5.")
    }
  }
}
