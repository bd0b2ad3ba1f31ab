import Foundation

/// A Python with TensorBoard and safetensors, if installed.
public enum TestEnvironment {
  private static let folder = NSHomeDirectory() + "/.cache/dualnorm/tests"
  public static let python = folder + "/bin/python"
  /// Tells whether `make test-env` finished, by the file that it writes last.
  public static var isThere: Bool { FileManager.default.fileExists(atPath: folder + "/complete") }
}

/// TensorBoard's own reader, in Python.
public enum TensorBoardReader {
  /// Values by name: [step, value], [step, width, height, bytes], and the number of histograms.
  public struct Found: Decodable {
    public let scalars, images: [String: [[Double]]]
    public let histograms: [String: [Histogram]]
    /// A histogram of any content; only the count matters here.
    public struct Histogram: Decodable {}
  }

  /// Reads the event files of a folder, each step from the last file that has it.
  public static func read(_ folder: URL) throws -> Found {
    let script = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
      .appendingPathComponent("../../Tools/read_events.py").standardizedFileURL
    let (process, output) = (Process(), Pipe())
    process.executableURL = URL(fileURLWithPath: TestEnvironment.python)
    process.arguments = [script.path, folder.path]
    process.standardOutput = output
    process.standardError = FileHandle.nullDevice
    try process.run()
    let data = output.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    return try JSONDecoder().decode(Found.self, from: data)
  }
}
