import Foundation

/// TensorBoard's own reader, in Python, where it is at hand.
public enum TensorBoardReader {
  private static let environment = NSHomeDirectory() + "/.cache/dualnorm/tensorboard"
  private static let python = environment + "/bin/python"
  /// Whether `make events-env` came to its end: what it writes last is there.
  public static var isThere: Bool { FileManager.default.fileExists(atPath: environment + "/complete") }

  /// By name: [step, value], [step, width, height, bytes], and how many histograms.
  public struct Found: Decodable {
    public let scalars, images: [String: [[Double]]]
    public let histograms: [String: [Histogram]]
    /// Of mixed kinds, of which only the count matters here.
    public struct Histogram: Decodable {}
  }

  /// What the event files of a folder hold, each step as the last file has it.
  public static func read(_ folder: URL) throws -> Found {
    let script = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
      .appendingPathComponent("../../Tools/read_events.py").standardizedFileURL
    let (process, output) = (Process(), Pipe())
    process.executableURL = URL(fileURLWithPath: python)
    process.arguments = [script.path, folder.path]
    process.standardOutput = output
    process.standardError = FileHandle.nullDevice
    try process.run()
    let data = output.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    return try JSONDecoder().decode(Found.self, from: data)
  }
}
