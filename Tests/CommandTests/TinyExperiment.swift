import Foundation

/// Experiments that take seconds.
enum TinyExperiment {
  /// An uninterrupted experiment: each of the two sites of `Tiny.data` left out, two methods, one seed.
  static var finished: URL { get throws { try made.get().folder } }
  /// Its printed table.
  static var table: String { get throws { try made.get().table } }

  static let options =
    "--width 2 --iterations 6,4 --batch-size 4 --validate-every 3 --precision float32 --threads 1".split(separator: " ")
    .map(String.init)

  static func arguments(_ output: URL, methods: String = "bn,dual", _ more: String...) throws -> [String] {
    [
      "experiment", "leave-one-site-out", "--data", try Tiny.data.path, "--methods", methods, "--seeds", "1",
      "--output",
      output.path,
    ] + options + more
  }

  private static let made = Result {
    let folder = try Tiny.data.deletingLastPathComponent().appendingPathComponent("experiment")
    let result = try dualnorm(arguments(folder, "--quiet"))
    guard result.status == 0, messagesBesideWarnings(result.errors) == "" else {
      throw Failed(description: result.errors)
    }
    return (folder: folder, table: result.output)
  }

  private struct Failed: Error, CustomStringConvertible { let description: String }
}
