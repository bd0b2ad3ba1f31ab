import ArgumentParser
import Basics
import DualNorm
import Experiments
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
    let paths = runs.map { $0.url.standardizedFileURL.resolvingSymlinksInPath().path }
    if let twice = paths.first(where: { path in paths.count { $0 == path } > 1 }) {
      throw Refusal(.input, twice, "is named twice as a member of the ensemble", remedy: "name every model once")
    }
    if runs.count > 1 { noteMemory(of: runs) }
    return runs
  }

  /// Says that networks are read again for every window, where their weights take too much memory.
  private func noteMemory(of runs: [RunFolder]) {
    let sizes = runs.map { (try? FileManager.default.attributesOfItem(atPath: $0.model.path)[.size] as? Int) ?? 0 }
    let (bytes, limit) = (sizes.reduce(0, +), SegmentationModel.weightLimit)
    guard bytes > limit else { return }
    func gigabytes(_ bytes: Int) -> String { fixed(Double(bytes) / 1e9, decimals: 2) + " GB" }
    Messages.say(
      "The \(runs.count) networks take \(gigabytes(bytes)), more than a quarter of the memory (\(gigabytes(limit))), so one "
        + "is in memory at a time and is read again for every window; a larger --memory keeps them.")
  }

  static func runs(in folder: URL) throws -> [RunFolder] {
    guard !exists(RunFolder(folder).description) else { return [RunFolder(folder)] }
    let folds = folds(of: folder)
    guard folds.isEmpty else { return folds }
    let cells = folder.appendingPathComponent("cells")
    guard exists(cells) else {
      let members = members(of: folder)
      return members.isEmpty ? [RunFolder(folder)] : try finished(members, of: folder)
    }
    let methods = subfolders(of: cells)
    guard !methods.isEmpty else {
      throw Refusal(.input, folder.path, "is an experiment without networks yet", remedy: "run the experiment first")
    }
    guard methods.count == 1 else {
      throw Refusal(
        .input, folder.path,
        "is an experiment with \(counted(methods.count, "method")) (\(listed(methods.map(\.lastPathComponent), atMost: 8)))",
        remedy: "name the folder of one, such as \(cells.path)/\(methods[0].lastPathComponent)")
    }
    return try finished(members(of: methods[0]), of: methods[0])
  }

  /// The run folders `fold_N` of a model that was imported from nnU-Net.
  private static func folds(of folder: URL) -> [RunFolder] {
    let folds = subfolders(of: folder).filter { $0.lastPathComponent.wholeMatch(of: /fold_(\d+|all)/) != nil }
      .map(RunFolder.init)
    // A fold without its description is refused when it is read.
    return folds.contains { exists($0.description) } ? folds : []
  }

  /// The run folders `SETTING/seed-N` of a method of an experiment.
  private static func members(of method: URL) -> [URL] {
    subfolders(of: method).flatMap(subfolders).filter { $0.lastPathComponent.hasPrefix("seed-") }
  }

  private static func finished(_ members: [URL], of method: URL) throws -> [RunFolder] {
    let runs = members.map(RunFolder.init)
    let experiment = method.deletingLastPathComponent().deletingLastPathComponent()
    if let planned = ExperimentConfiguration.plannedTrainings(in: experiment), runs.count < planned {
      throw Refusal(
        .input, method.path, "has \(runs.count) of the \(planned) networks that the experiment plans",
        remedy: "finish the experiment, or name the run folders of the finished ones")
    }
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
