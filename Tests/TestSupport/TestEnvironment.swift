import Foundation

/// A Python with readers of TensorBoard, safetensors, ONNX and Triton's definitions, if installed.
public enum TestEnvironment {
  private static let folder = NSHomeDirectory() + "/.cache/dualnorm/tests"
  public static let python = folder + "/bin/python"
  /// Tells whether `make test-env` finished, by the file that it writes last.
  public static var isThere: Bool { FileManager.default.fileExists(atPath: folder + "/complete") }

  /// The standard output of Python with some arguments.
  public static func output(of arguments: [String]) throws -> String {
    let (process, output) = (Process(), Pipe())
    process.executableURL = URL(fileURLWithPath: python)
    process.arguments = arguments
    process.environment = ProcessInfo.processInfo.environment.merging(["PYTHONIOENCODING": "utf-8"]) { $1 }
    process.standardOutput = output
    process.standardError = FileHandle.nullDevice
    try process.run()
    let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    process.waitUntilExit()
    return text
  }

  /// The path of a script in Tools.
  public static func tool(_ name: String) -> String {
    URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent("../../Tools/\(name)")
      .standardizedFileURL.path
  }
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
    let text = try TestEnvironment.output(of: [TestEnvironment.tool("read_events.py"), folder.path])
    return try JSONDecoder().decode(Found.self, from: Data(text.utf8))
  }
}
