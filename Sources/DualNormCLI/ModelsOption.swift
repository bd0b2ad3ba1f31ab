import ArgumentParser
import Basics
import DualNorm
import Foundation

/// One model, or the members of an ensemble.
struct ModelsOption: ParsableArguments {
  @Option(
    name: .shortAndLong, parsing: .upToNextOption,
    help: ArgumentHelp(
      "The run folder of the model. Several, or the folder of an experiment's method, are an ensemble.",
      valueName: "run"), completion: .directory)
  var model: [String]
  @Flag(help: "Also segment every image mirrored, along the axes that training mirrored, and take the mean.")
  var mirror = false

  /// The run folders, in the order of the options.
  ///
  /// - Throws: `Refusal` for the folder of an experiment that holds no finished networks of one method.
  func runs() throws -> [RunFolder] {
    let runs = try model.flatMap { try Self.runs(in: URL(fileURLWithPath: $0)) }
    let paths = runs.map(\.url.standardizedFileURL.path)
    if let twice = paths.first(where: { path in paths.count { $0 == path } > 1 }) {
      throw Refusal(.input, twice, "is named twice as a member of the ensemble", remedy: "name every model once")
    }
    return runs
  }

  private static func runs(in folder: URL) throws -> [RunFolder] {
    guard !exists(RunFolder(folder).description) else { return [RunFolder(folder)] }
    let cells = folder.appendingPathComponent("cells")
    guard exists(cells) else {
      let members = members(of: folder)
      return members.isEmpty ? [RunFolder(folder)] : try finished(members)
    }
    let methods = subfolders(of: cells)
    guard methods.count == 1 else {
      throw Refusal(
        .input, folder.path,
        "is an experiment with \(counted(methods.count, "method")) (\(listed(methods.map(\.lastPathComponent), atMost: 8)))",
        remedy: "name the folder of one, such as \(cells.path)/\(methods.first?.lastPathComponent ?? "dual")")
    }
    return try finished(members(of: methods[0]))
  }

  /// The run folders `SETTING/seed-N` of a method of an experiment.
  private static func members(of method: URL) -> [URL] {
    subfolders(of: method).flatMap(subfolders).filter { $0.lastPathComponent.hasPrefix("seed-") }
  }

  private static func finished(_ members: [URL]) throws -> [RunFolder] {
    let runs = members.map(RunFolder.init)
    if let open = runs.first(where: { !exists($0.model) }) {
      throw Refusal(
        .input, open.url.path, "has no model.safetensors, so this member of the ensemble is not trained yet",
        remedy: "finish the experiment, or name the run folders of the finished ones")
    }
    return runs
  }

  private static func exists(_ file: URL) -> Bool { FileManager.default.fileExists(atPath: file.path) }

  private static func subfolders(of folder: URL) -> [URL] {
    let names = (try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []
    return names.sorted().map(folder.appendingPathComponent).filter(\.isFolder)
  }
}
