import ArgumentParser
import Basics
import DualNorm
import Foundation
import Torch

extension ImportCommand {
  /// Makes a run folder for each fold of a model of nnU-Net; a single one is the output folder itself.
  func importFolds(of source: URL) throws {
    Interruption.listen()
    try refuseOptions()
    let output = URL(fileURLWithPath: output)
    try RunFolder(output).requireEmpty()
    if !FileManager.default.fileExists(atPath: output.path) { try requireWritable(output) }
    let folder = try NNUNetFolder(source)
    let progress = Progress("folds", of: folder.folds.count, quiet: messages.quiet)
    // All are read before the first is written, so a damaged fold leaves nothing behind.
    let networks = try folder.folds.map { fold in
      try stopIfInterrupted(progress, "\(self.output) was not made")
      defer { progress.advance() }
      let model = try folder.model(of: fold)
      try model.description.network.requireWeights(
        model.weights, in: source.appendingPathComponent(fold).path, planOf: "plans.json")
      let network = try DualNormNetwork(model.description.network, seed: 0)
      try network.parameters.load(model.weights, file: source.appendingPathComponent(fold).path)
      return (
        fold: fold, description: orientation.map(model.description.oriented) ?? model.description, network: network
      )
    }
    progress.clear()
    let names = networks.map { networks.count == 1 ? "" : $0.fold }
    try write(zip(names, networks).map { ($0, $1.description, $1.network) }, to: output)
    for sentence in folder.leftOut { Warnings.report(sentence) }
    if let file = folder.postprocessing {
      Warnings.report(
        "\(file.path) is not read; where it keeps the largest component of a class, predict with --largest-component.")
    }
    let axes = networks[0].description.mirrorAxes ?? []
    Messages.say(
      "Imported \(counted(networks.count, "fold")) of nnU-Net to \(self.output)."
        + (axes.isEmpty ? "" : " nnU-Net's own prediction also mirrors; predict --mirror does the same."))
    print(printableLines(networks[0].description.summary))
  }

  /// Writes run folders into a folder that gets its name last, so that a stopped import leaves no part of an ensemble.
  private func write(
    _ members: [(name: String, description: ModelDescription, network: DualNormNetwork)], to output: URL
  ) throws {
    let partial = output.deletingLastPathComponent().appendingPathComponent(
      ".\(output.lastPathComponent).\(UUID().uuidString)")
    defer { try? FileManager.default.removeItem(at: partial) }
    for (name, description, network) in members {
      if Interruption.isRequested { break }
      let run = RunFolder(name.isEmpty ? partial : partial.appendingPathComponent(name))
      let lock = try run.create()
      try Safetensors(tensors: network.parameters.stateDictionary).write(to: run.model)
      try run.write(description)
      withExtendedLifetime(lock) {}
    }
    if Interruption.isRequested {
      Messages.show("Stopped; \(output.path) was not made.")
      throw ExitCode(Interruption.exitCode)
    }
    // An empty folder may be there already.
    guard rename(partial.path, output.path) == 0 else {
      throw Refusal(
        .file, output.path, "cannot be written (\(String(cString: strerror(errno))))",
        remedy: "give another --output")
    }
  }

  /// Refuses parts of a model of nnU-Net, and folders around one, by the name of the folder to give.
  func refuseOtherFolders(_ source: URL) throws {
    let above = source.deletingLastPathComponent()
    let isInFold = above.lastPathComponent.hasPrefix("fold_")
    let isPart = isInFold || source.lastPathComponent.hasPrefix("fold_") || source.pathExtension == "json"
    let model = isInFold ? above.deletingLastPathComponent() : above
    // A data set may have a dataset.json too, and weights of another network beside it.
    if isPart, NNUNetFolder.isWhole(model) {
      throw Refusal(
        .input, file, "is a part of a model of nnU-Net", remedy: "give the model's folder, \(model.path)")
    }
    guard source.isFolder, !FileManager.default.fileExists(atPath: RunFolder(source).model.path) else { return }
    let names = (try? FileManager.default.contentsOfDirectory(atPath: source.path)) ?? []
    let models = names.sorted().filter { NNUNetFolder.isAt(source.appendingPathComponent($0)) }
    throw Refusal(
      .input, file, "is a folder without plans.json, as models of nnU-Net have, and without model.safetensors",
      remedy: models.isEmpty
        ? "give a model's folder or a file of weights" : "give one of \(listed(models, atMost: 8)) in it")
  }

  /// Refuses options whose values are in nnU-Net's plans.
  private func refuseOptions() throws {
    let given = [
      ("--classes", classes != nil), ("--labels", labels != nil), ("--modalities", modalities != 1),
      ("--mask", mask != .soft),
      ("--local-statistics", localStatistics != .predicted), ("--whitening", whitening != .volume),
      ("--size", preparation.size != nil), ("--spacing", preparation.spacing != nil),
      ("--window", preparation.window != nil), ("--resample-size", preparation.resampleSize != nil),
    ]
    guard let option = given.first(where: \.1)?.0 else { return }
    throw Refusal(
      .input, "\(option) is in the plans of \(file), a model of nnU-Net", remedy: "leave \(option) out")
  }
}
