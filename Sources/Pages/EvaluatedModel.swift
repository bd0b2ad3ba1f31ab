import Basics
import DualNorm
import Foundation

/// The run whose model was evaluated, if it can be found.
struct EvaluatedModel {
  let path: String?
  let contents: RunContents?
  /// A sentence for the page on why there is none.
  let absence: String?

  /// - Throws: `Refusal` for a given folder that is no run, or a damaged file of a run.
  init(given: String?, record: EvaluationRecord?, beside folder: URL) throws {
    func isRun(_ url: URL) -> Bool {
      FileManager.default.fileExists(atPath: RunFolder(url).description.path)
    }
    if let given {
      let run = RunFolder(URL(fileURLWithPath: given))
      _ = try run.readDescription()
      (path, contents, absence) = (run.url.path, try RunContents(run), nil)
      return
    }
    // An experiment keeps an evaluation in the folder of its run.
    let parent = folder.standardizedFileURL.deletingLastPathComponent()
    let url = record.map { URL(fileURLWithPath: $0.model) } ?? parent
    path = record?.model ?? (isRun(parent) ? parent.path : nil)
    contents = isRun(url) ? try RunContents(RunFolder(url)) : nil
    absence =
      contents != nil
      ? nil
      : record.map {
        "The model is no longer at \($0.model), so its training is not shown; say where its run folder is with "
          + "\(Setting.model)."
      } ?? "The folder does not say which model was evaluated; say where its run folder is with \(Setting.model)."
  }
}
