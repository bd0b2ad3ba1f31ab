import Foundation

@testable import DualNorm

/// A training of two stages that takes about a second, made once for all tests that interrupt or disturb such a
/// training.
enum Brief {
  static let options =
    "--width 2 --iterations 14,8 --batch-size 2 --validate-every 5 --averaging 0.9 --precision float32 --threads 1 --quiet"
    .split(separator: " ").map(String.init)

  static func arguments(_ run: RunFolder, data: URL? = nil) throws -> [String] {
    try ["train", "--data", (data ?? Tiny.data).path, "--output", run.url.path] + options
  }

  /// The undisturbed run, and the seconds it took.
  static var run: (folder: RunFolder, seconds: Double) { get throws { try made.get() } }

  /// Compares a run with the undisturbed one: differing files, and additional files in its folder.
  static func differences(of run: RunFolder) throws -> [String] {
    let whole = try Brief.run.folder
    let changed = ["model.safetensors", "log.csv", "model.json", "splits.json", "checkpoints/last.safetensors"].filter {
      (try? Data(contentsOf: run.url.appendingPathComponent($0)))
        != (try? Data(contentsOf: whole.url.appendingPathComponent($0)))
    }
    return changed + (contents(of: run.url) == contents(of: whole.url) ? [] : ["other files: \(contents(of: run.url))"])
  }

  private static let made = Result {
    let run = RunFolder(try Tiny.data.deletingLastPathComponent().appendingPathComponent("brief"))
    let start = Date()
    let result = try dualnorm(arguments(run))
    if result.status != 0 { throw Failed(description: result.errors) }
    return (folder: run, seconds: Date().timeIntervalSince(start))
  }

  private struct Failed: Error, CustomStringConvertible { let description: String }
}
