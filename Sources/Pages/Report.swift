import Basics
package import Datasets
import DualNorm
package import Foundation

/// One HTML page about a folder from train, evaluate or experiment, or about a data check.
///
/// It needs no other file and no network. Equal folders give equal bytes.
package struct Report: Sendable {
  package let html: String
  /// The page's sentences on missing parts.
  package let notices: [String]

  /// The kind of a folder, by its contents.
  enum Kind {
    case run, evaluation, experiment

    /// - Throws: `Refusal` for a folder of no kind.
    init(of folder: URL) throws {
      try requireAccess(to: folder)
      var isFolder: ObjCBool = false
      guard FileManager.default.fileExists(atPath: folder.path, isDirectory: &isFolder) else {
        throw Refusal(.input, folder.path, "there is no such folder", remedy: "check the path")
      }
      guard isFolder.boolValue else {
        throw Refusal(
          .input, folder.path, "is a file", remedy: "give the folder that train, evaluate or experiment wrote")
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
        throw Refusal(
          .input, folder.path,
          "holds no model.json of a run, no scores.json of an evaluation and no experiment.yaml of an experiment",
          remedy: "give the folder that train, evaluate or experiment wrote")
      }
    }
  }

  /// - Parameters:
  ///   - data: the path of the images, instead of the recorded one.
  ///   - model: for an evaluation, the path of its run folder, instead of the recorded one.
  /// - Throws: `Refusal` or another error that names the unusable file or option.
  package init(of folder: URL, data: String? = nil, model: String? = nil) throws {
    let kind = try Kind(of: folder)
    guard model == nil || kind == .evaluation else {
      throw Refusal(
        .input, "\(Setting.model) says which run an evaluation is of, and \(folder.path) is none",
        remedy: "leave \(Setting.model) out")
    }
    guard data == nil || kind != .experiment else {
      throw Refusal(
        .input, "\(Setting.data) says where images are, and the page of an experiment has none",
        remedy: "leave \(Setting.data) out")
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
  /// - Parameter command: the words of the shell command that repeats the check.
  /// - Throws: `Refusal` naming an image that can no longer be read.
  package init(of check: DataReport, command: [String]) throws {
    let page = try CheckPage(report: check, command: command).page()
    (html, notices) = (page.html, page.notices)
  }

  /// - Throws: `Refusal` if the file cannot be written.
  package func write(to url: URL) throws { try writeAtomically(Data(html.utf8), to: url) }
}
