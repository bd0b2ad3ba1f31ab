import Basics
import Foundation

/// Where a run keeps its files.
package struct RunFolder: Sendable {
  package let url: URL

  package init(_ url: URL) { self.url = url }

  package var model: URL { url.appendingPathComponent("model.safetensors") }
  package var description: URL { url.appendingPathComponent("model.json") }
  package var configuration: URL { url.appendingPathComponent("config.yaml") }
  package var log: URL { url.appendingPathComponent("log.csv") }
  /// What TensorBoard shows.
  package var events: URL { url.appendingPathComponent("tensorboard") }
  package var splits: URL { url.appendingPathComponent("splits.json") }
  /// What the data check found.
  package var facts: URL { url.appendingPathComponent("facts.json") }
  /// What the readers of its data found doubtful; where there is nothing, there is no file.
  var warnings: URL { url.appendingPathComponent("warnings.json") }
  package var checkpoints: URL { url.appendingPathComponent("checkpoints") }

  /// The weights that a stage found best on the validation cases.
  func best(_ stage: Stage) -> URL { checkpoints.appendingPathComponent("\(stage.rawValue)-best.safetensors") }

  /// Where a stopped run goes on: weights, optimizer and all else the next step depends on.
  package var last: URL { checkpoints.appendingPathComponent("last.safetensors") }

  var hasCheckpoint: Bool { exists(last) }

  /// What an error leaves, for its sentence.
  var whatRemains: String { hasCheckpoint ? "The last checkpoint is intact." : "There is no checkpoint yet." }

  package func write(_ description: ModelDescription) throws {
    try writeAtomically(prettyJSON(description), to: self.description)
  }

  package func write(_ configuration: TrainingConfiguration) throws {
    let text = Self.versionPrefix + programVersion + "\n" + (try configuration.yaml())
    try writeAtomically(Data(text.utf8), to: self.configuration)
  }

  private static let versionPrefix = "# Written by dualnorm "

  /// The program's that wrote `config.yaml`; nil where that does not say.
  package var version: String? {
    let text = try? String(contentsOf: configuration, encoding: .utf8)
    let first = text?.split(separator: "\n", maxSplits: 1).first
    return first.flatMap { $0.hasPrefix(Self.versionPrefix) ? String($0.dropFirst(Self.versionPrefix.count)) : nil }
  }

  /// - Throws: `InputError` if the folder has no readable `model.json`.
  package func readDescription() throws -> ModelDescription {
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

  /// Tells whether a training was started here, so that there is everything to go on with it.
  package var isBegun: Bool { [configuration, description, splits].allSatisfy(exists) }

  /// Tells whether options were written here, by a training or by whoever made the folder.
  var hasConfiguration: Bool { exists(configuration) }

  /// Tells whether a start of a training was killed before `isBegun`.
  package var isCutShort: Bool { hasConfiguration && !isBegun && ![model, checkpoints, log].contains(where: exists) }

  private func exists(_ file: URL) -> Bool { FileManager.default.fileExists(atPath: file.path) }

  /// What may lie in a folder that a training is to be started in: a log that its maker keeps there, and what a start that
  /// was killed before `isBegun` left.
  private var remains: Set<String> {
    let begun = isCutShort ? [configuration, description, facts, splits].map(\.lastPathComponent) : []
    return Set(begun + [cellLog.lastPathComponent])
  }

  /// - Throws: `InputError` if something is in the folder that a training must not be started beside.
  package func requireEmpty() throws { try requireEmptyFolder(url, option: "--output", beside: remains) }

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
  package func create() throws -> FolderLock {
    try makeEmptyFolder(url, option: "--output", beside: remains)
    let lock = try FolderLock(url)
    // Another process may have begun and ended meanwhile.
    try requireEmpty()
    return lock
  }

  /// What an experiment keeps of a run's messages.
  package var cellLog: URL { url.appendingPathComponent("cell.log") }
}
