import Files
import Foundation
import Torch

/// Where a run keeps its files.
public struct RunFolder: Sendable {
  public let url: URL

  public init(_ url: URL) { self.url = url }

  public var model: URL { url.appendingPathComponent("model.safetensors") }
  public var description: URL { url.appendingPathComponent("model.json") }
  public var configuration: URL { url.appendingPathComponent("config.yaml") }
  public var log: URL { url.appendingPathComponent("log.csv") }
  /// What TensorBoard shows.
  public var events: URL { url.appendingPathComponent("tensorboard") }
  public var splits: URL { url.appendingPathComponent("splits.json") }
  /// What the data check found.
  public var facts: URL { url.appendingPathComponent("facts.json") }
  /// What the readers of its data found doubtful; where there is nothing, there is no file.
  public var warnings: URL { url.appendingPathComponent("warnings.json") }
  public var checkpoints: URL { url.appendingPathComponent("checkpoints") }

  /// The weights that a stage found best on the validation cases.
  func best(_ stage: Stage) -> URL { checkpoints.appendingPathComponent("\(stage.rawValue)-best.safetensors") }

  /// Where a stopped run goes on: weights, optimizer and all else the next step depends on.
  var last: URL { checkpoints.appendingPathComponent("last.safetensors") }

  var hasCheckpoint: Bool { exists(last) }

  /// What an error leaves, for its sentence.
  var whatRemains: String { hasCheckpoint ? "The last checkpoint is intact." : "There is no checkpoint yet." }

  public func write(_ description: ModelDescription) throws {
    try writeAtomically(prettyJSON(description), to: self.description)
  }

  public func write(_ configuration: TrainingConfiguration) throws {
    let text = Self.versionPrefix + programVersion + "\n" + (try configuration.yaml())
    try writeAtomically(Data(text.utf8), to: self.configuration)
  }

  private static let versionPrefix = "# Written by dualnorm "

  /// The program's that wrote `config.yaml`; nil where that does not say.
  var version: String? {
    let text = try? String(contentsOf: configuration, encoding: .utf8)
    let first = text?.split(separator: "\n", maxSplits: 1).first
    return first.flatMap { $0.hasPrefix(Self.versionPrefix) ? String($0.dropFirst(Self.versionPrefix.count)) : nil }
  }

  /// - Throws: `InputError` if the folder has no readable `model.json`.
  public func readDescription() throws -> ModelDescription {
    for file in [url, description] { try requireAccess(to: file) }
    guard let data = contents(ofRegularFile: description) else {
      throw InputError(
        "\(url.path): has no model.json, so it is not a run folder; give the folder that train or import wrote.")
    }
    do {
      let read = try JSONDecoder().decode(ModelDescription.self, from: data)
      try read.validate(file: description.path)
      return read
    } catch let error as DecodingError {
      throw InputError("\(description.path): is not the description of a model (\(error.brief)); restore the file.")
    } catch let error as InputError where !error.description.hasPrefix(description.path) {
      throw InputError("\(description.path): \(error.description)")
    }
  }

  /// Whether a training was started here, so that there is everything to go on with it.
  public var isBegun: Bool { [configuration, description, splits].allSatisfy(exists) }

  /// Whether options were written here, by a training or by whoever made the folder.
  public var hasConfiguration: Bool { exists(configuration) }

  /// Whether a start of a training was killed before `isBegun`.
  public var isCutShort: Bool { hasConfiguration && !isBegun && ![model, checkpoints, log].contains(where: exists) }

  private func exists(_ file: URL) -> Bool { FileManager.default.fileExists(atPath: file.path) }

  /// What may lie in a folder that a training is to be started in: a log that its maker keeps there, and what a start that
  /// was killed before `isBegun` left.
  private var remains: Set<String> {
    let begun = isCutShort ? [configuration, description, facts, splits].map(\.lastPathComponent) : []
    return Set(begun + [cellLog.lastPathComponent])
  }

  /// - Throws: `InputError` if something is in the folder that a training must not be started beside.
  public func requireEmpty() throws { try requireEmptyFolder(url, option: "--output", beside: remains) }

  /// - Throws: `InputError` for a folder that is there and cannot be read and written, which would look as if it were empty.
  func requireReadAndWriteAccess() throws {
    let code = access(url.path, R_OK | W_OK | X_OK) == 0 ? 0 : errno
    guard code != 0, code != ENOENT else { return }
    throw InputError(
      "\(url.path): cannot be read and written (\(String(cString: strerror(code)))); get the right to, or take a copy."
    )
  }

  /// Makes the folder, or finds it empty but for `remains`, and locks it.
  ///
  /// - Throws: `InputError` if something else is in it, or it cannot be made; `FileError` if another process works in it.
  public func create() throws -> FolderLock {
    try makeEmptyFolder(url, option: "--output", beside: remains)
    let lock = try FolderLock(url)
    // Another process may have begun and ended meanwhile.
    try requireEmpty()
    return lock
  }

  /// What an experiment keeps of a run's messages.
  public var cellLog: URL { url.appendingPathComponent("cell.log") }
}

/// JSON for people: sorted keys, one value a line.
func prettyJSON(_ value: some Encodable) throws -> Data {
  let encoder = JSONEncoder()
  encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
  return try encoder.encode(value) + Data("\n".utf8)
}

/// Makes a folder for results, or takes one that is empty.
///
/// - Parameter beside: names that may be there.
/// - Throws: `InputError` naming the option if the folder holds something or cannot be made.
public func makeEmptyFolder(_ url: URL, option: String, beside: Set<String> = []) throws {
  let manager = FileManager.default
  if manager.fileExists(atPath: url.path) {
    try requireEmptyFolder(url, option: option, beside: beside)
  } else {
    let code = codeOfMaking(url)
    guard code == 0 else { throw unusable(url, "cannot be made", code, option) }
  }
  let code = codeOfEntering(url)
  guard code == 0 else { throw unusable(url, "cannot be written to", code, option) }
}

/// Finds out, without making anything, whether `makeEmptyFolder` could make a folder for results.
///
/// - Throws: as that does.
public func requireNewFolder(_ url: URL, option: String) throws {
  try requireEmptyFolder(url, option: option, beside: [])
}

private func unusable(_ folder: URL, _ what: String, _ code: Int32, _ option: String) -> InputError {
  InputError("\(folder.path): \(what)\(readOnlyDisk(code)); give a folder for \(option) that you may write to.")
}

/// The system's code for why a folder, or the lowest one above it that is there, may not be written to; 0 where it may.
private func codeOfUsing(_ folder: URL) -> Int32 {
  var holder = folder.standardizedFileURL
  var isFolder: ObjCBool = false
  while !FileManager.default.fileExists(atPath: holder.path, isDirectory: &isFolder), holder.path != "/" {
    holder = holder.deletingLastPathComponent()
  }
  return isFolder.boolValue ? codeOfEntering(holder) : ENOTDIR
}

/// - Throws: as `makeEmptyFolder` for what is there.
func requireEmptyFolder(_ url: URL, option: String, beside: Set<String>) throws {
  let manager = FileManager.default
  var isFolder: ObjCBool = false
  guard manager.fileExists(atPath: url.path, isDirectory: &isFolder) else {
    return try requireMakeable(url, option: option)
  }
  guard isFolder.boolValue else {
    throw InputError("\(url.path): is a file; give a folder for \(option).")
  }
  let code = access(url.path, R_OK | W_OK | X_OK) == 0 ? 0 : errno
  guard code == 0 else { throw unusable(url, "cannot be written to", code, option) }
  let contents = (try? manager.contentsOfDirectory(atPath: url.path)) ?? []
  guard contents.allSatisfy({ $0.hasPrefix(".") || beside.contains($0) }) else {
    throw InputError("\(url.path): is not empty; give a new folder for \(option), or delete this one first.")
  }
}

/// - Throws: `InputError` for a folder that could not be made, since what is to hold it is a file, or not to be written to.
public func requireMakeable(_ url: URL, option: String) throws {
  let code = codeOfUsing(url.standardizedFileURL.deletingLastPathComponent())
  guard code == 0 else { throw unusable(url, "cannot be made", code, option) }
}

extension DecodingError {
  /// The key and what is wrong with it, in a few words.
  var brief: String {
    func path(_ context: Context) -> String {
      let path = context.codingPath.map(\.stringValue).joined(separator: ".")
      return path.isEmpty ? "the whole" : path
    }
    switch self {
    case .keyNotFound(let key, _): return "\(key.stringValue) is missing"
    case .typeMismatch(_, let context), .valueNotFound(_, let context):
      return "\(path(context)) has a value of the wrong kind"
    case .dataCorrupted(let context):
      return context.codingPath.isEmpty ? "it is not JSON" : "\(path(context)) has an unknown value"
    @unknown default: return "it cannot be decoded"
    }
  }
}
