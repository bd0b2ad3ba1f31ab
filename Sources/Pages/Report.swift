import Basics
import Datasets
import DualNorm
import Foundation

/// One HTML page about a folder that train, evaluate or experiment wrote, or about a data check. It needs no other file and
/// no network, and the same folder makes the same bytes.
package struct Report: Sendable {
  package let html: String
  /// What the page says is missing.
  package let notices: [String]

  /// What a folder is, by what it holds.
  enum Kind {
    case run, evaluation, experiment

    /// - Throws: `InputError` for a folder that is none of them.
    init(of folder: URL) throws {
      try requireAccess(to: folder)
      var isFolder: ObjCBool = false
      guard FileManager.default.fileExists(atPath: folder.path, isDirectory: &isFolder) else {
        throw InputError("\(folder.path): there is no such folder; check the path.")
      }
      guard isFolder.boolValue else {
        throw InputError("\(folder.path): is a file; give the folder that train, evaluate or experiment wrote.")
      }
      func holds(_ names: String...) -> Bool {
        names.contains { FileManager.default.fileExists(atPath: folder.appendingPathComponent($0).path) }
      }
      if holds("experiment.yaml") {
        self = .experiment
      } else if holds("scores.json", EvaluationRecord.fileName) {
        self = .evaluation
      } else if holds("model.json", "config.yaml") {
        self = .run
      } else {
        throw InputError(
          "\(folder.path): holds no model.json of a run, no scores.json of an evaluation and no experiment.yaml of an "
            + "experiment; give the folder that train, evaluate or experiment wrote.")
      }
    }
  }

  /// - Parameters:
  ///   - data: where the images are, in place of what the folder says.
  ///   - model: of an evaluation: where its run folder is, likewise.
  /// - Throws: `InputError` or another error that names the file or option that cannot be used.
  package init(of folder: URL, data: String? = nil, model: String? = nil) throws {
    let kind = try Kind(of: folder)
    guard model == nil || kind == .evaluation else {
      throw InputError("--model says which run an evaluation is of, and \(folder.path) is none; leave --model out.")
    }
    guard data == nil || kind != .experiment else {
      throw InputError("--data says where images are, and the page of an experiment has none; leave --data out.")
    }
    let page =
      switch kind {
      case .run: try RunPage(RunFolder(folder), data: data).page()
      case .evaluation: try EvaluationPage(folder, data: data, modelFolder: model).page()
      case .experiment: try ExperimentPage(folder).page()
      }
    (html, notices) = (page.html, page.notices)
  }

  /// The page of a data check.
  ///
  /// - Parameter command: the words that repeat it in a shell.
  /// - Throws: `ImagingError` naming an image that can no longer be read.
  package init(of check: DataReport, command: [String]) throws {
    let page = try CheckPage(report: check, command: command).page()
    (html, notices) = (page.html, page.notices)
  }

  /// - Throws: `FileError` if the file cannot be written.
  package func write(to url: URL) throws { try writeAtomically(Data(html.utf8), to: url) }
}
