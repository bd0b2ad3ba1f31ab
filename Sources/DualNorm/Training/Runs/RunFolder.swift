package import Basics
package import Foundation

/// The folder of a run, with the paths of its files.
package struct RunFolder: Sendable {
  package let url: URL

  package init(_ url: URL) { self.url = url }

  package var model: URL { url.appendingPathComponent("model.safetensors") }
  package var description: URL { url.appendingPathComponent("model.json") }
  package var configuration: URL { url.appendingPathComponent("config.yaml") }
  package var log: URL { url.appendingPathComponent("log.csv") }
  /// The folder of TensorBoard's event files.
  package var events: URL { url.appendingPathComponent("tensorboard") }
  package var splits: URL { url.appendingPathComponent("splits.json") }
  /// The facts from the data check.
  package var facts: URL { url.appendingPathComponent("facts.json") }
  /// Warnings from reading the data; no file if there are none.
  var warnings: URL { url.appendingPathComponent("warnings.json") }
  package var checkpoints: URL { url.appendingPathComponent("checkpoints") }

  /// The weights of a stage that were best on the validation cases.
  func best(_ stage: Stage) -> URL { checkpoints.appendingPathComponent("\(stage.rawValue)-best.safetensors") }

  /// The checkpoint of a stopped run: weights, optimizer and everything else that the next step depends on.
  package var last: URL { checkpoints.appendingPathComponent("last.safetensors") }

  var hasCheckpoint: Bool { exists(last) }

  /// The end of an error sentence: whether a checkpoint is left.
  var whatRemains: String { hasCheckpoint ? "The last checkpoint is intact." : "There is no checkpoint yet." }

  package func write(_ description: ModelDescription) throws {
    try writeAtomically(prettyJSON(description), to: self.description)
  }

  package func write(_ configuration: TrainingConfiguration) throws {
    let text = Self.versionPrefix + programVersion + "\n" + (try configuration.yaml())
    try writeAtomically(Data(text.utf8), to: self.configuration)
  }

  private static let versionPrefix = "# Written by dualnorm "

  /// The version of the program that wrote `config.yaml`; nil if the file does not name it.
  package var version: String? {
    let text = try? String(contentsOf: configuration, encoding: .utf8)
    let first = text?.split(separator: "\n", maxSplits: 1).first
    return first.flatMap { $0.hasPrefix(Self.versionPrefix) ? String($0.dropFirst(Self.versionPrefix.count)) : nil }
  }

  /// - Throws: `Refusal` if the folder has no readable `model.json`.
  package func readDescription() throws -> ModelDescription {
    for file in [url, description] { try requireAccess(to: file) }
    guard let data = contents(ofRegularFile: description) else {
      let names = (try? FileManager.default.contentsOfDirectory(atPath: url.path)) ?? []
      let fold = names.filter { $0.hasPrefix("fold_") }.sorted().map(url.appendingPathComponent)
        .first { exists(RunFolder($0).description) }
      throw Refusal(
        .input, url.path, "has no model.json, so it is not a run folder",
        remedy: fold.map { "name one of its folds, such as \($0.path)" }
          ?? (NNUNetFolder.isAt(url)
            ? "make one of it with import, since it is a model of nnU-Net"
            : "give the folder that train or import wrote"))
    }
    do {
      let read = try JSONDecoder().decode(ModelDescription.self, from: data)
      try read.validate(file: description.path)
      return read
    } catch let error as DecodingError {
      throw Refusal(
        .input, description.path, "is not the description of a model (\(error.brief))", remedy: "restore the file")
    } catch let error as Refusal where error.subject.isEmpty {
      throw error.about(description.path)
    }
  }

  /// Tells whether a training was started here, so that it can be resumed.
  package var isBegun: Bool { [configuration, description, splits].allSatisfy(exists) }

  /// Tells whether a training or the folder's creator wrote options here.
  var hasConfiguration: Bool { exists(configuration) }

  /// Tells whether the start of a training was killed before `isBegun`.
  package var isCutShort: Bool { hasConfiguration && !isBegun && ![model, checkpoints, log].contains(where: exists) }

  private func exists(_ file: URL) -> Bool { FileManager.default.fileExists(atPath: file.path) }

  /// Names that a training's folder may hold at its start: a log, and files of a start that was killed before
  /// `isBegun`.
  private var remains: Set<String> {
    let begun = isCutShort ? [configuration, description, facts, splits].map(\.lastPathComponent) : []
    return Set(begun + [cellLog.lastPathComponent])
  }

  /// - Throws: `Refusal` if the folder holds anything else than `remains`.
  package func requireEmpty() throws { try requireEmptyFolder(url, option: .output, beside: remains) }

  /// - Throws: `Refusal` for an existing folder without read and write access, which would look empty.
  func requireReadAndWriteAccess() throws {
    let code = access(url.path, R_OK | W_OK | X_OK) == 0 ? 0 : errno
    guard code != 0, code != ENOENT else { return }
    throw Refusal(
      .input, url.path, "cannot be read and written (\(String(cString: strerror(code))))",
      remedy: "get the right to, or take a copy")
  }

  /// Creates the folder, or accepts an existing one with `remains` only, and locks it.
  ///
  /// - Throws: `Refusal` if the folder holds other files or cannot be created. `Refusal` if another process works
  ///   in it.
  package func create() throws -> FolderLock {
    try makeEmptyFolder(url, option: .output, beside: remains)
    let lock = try FolderLock(url)
    // Another process may have begun and ended since the first check.
    try requireEmpty()
    return lock
  }

  /// The log of an experiment's run.
  package var cellLog: URL { url.appendingPathComponent("cell.log") }
}
