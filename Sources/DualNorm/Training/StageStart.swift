import Basics
import Foundation
import Torch

/// The initial network of a stage: seeded, loaded with initial weights, and partly frozen.
package struct StageStart {
  private let configuration: TrainingConfiguration
  private let description: ModelDescription

  package init(_ configuration: TrainingConfiguration, _ description: ModelDescription) {
    self.configuration = configuration
    self.description = description
  }

  /// The source of a stage's initial weights.
  enum Source {
    /// The first stage's weights: from `--init`, or drawn from the seed.
    case initial
    /// The plain stage's file, which lacks the dual layers.
    case plain(URL)
    /// A checkpoint that the caller loads.
    case checkpoint
  }

  /// - Throws: `Refusal` for weights that cannot be loaded, or if every parameter is frozen.
  func network(of stage: Stage, from source: Source) throws -> DualNormNetwork {
    let network = try DualNormNetwork(
      description.network(of: stage), seed: configuration.seed, device: configuration.device.resolved())
    network.precision = description.precision
    switch source {
    case .initial: _ = try initialize(network)
    case .plain(let file):
      try network.parameters.load(Safetensors.read(file).tensors, file: file.path) { $0.contains("_aux.") }
    case .checkpoint: break
    }
    try freeze(network.parameters, in: stage)
    return network
  }

  /// Finds errors that would stop the run at its start.
  ///
  /// - Returns: sentences on how much of `--init` fits, and on a GPU that will be slow.
  /// - Throws: `Refusal` for a missing `--device`, or an `--init` of which nothing fits. Also for names in
  ///   `--freeze-except` that no parameter contains or that leave a stage nothing to train.
  package func check() throws -> [String] {
    var notes = try [configuration.device.resolved().warning]
    let stages = configuration.stages(of: description.network).map(\.stage)
    if !configuration.freezeExcept.isEmpty {
      try checkFrozenNames()
      for stage in stages {
        try freeze(DualNormNetwork(description.network(of: stage), seed: configuration.seed).parameters, in: stage)
      }
    }
    if configuration.initial != nil, let first = stages.first {
      notes.append(try initialize(DualNormNetwork(description.network(of: first), seed: configuration.seed))?.summary)
    }
    return notes.compactMap { $0 }
  }

  private func initialize(_ network: DualNormNetwork) throws -> TransferReport? {
    guard let initial = configuration.initial else { return nil }
    let source = try WeightFile(URL(fileURLWithPath: initial))
    let report = network.parameters.transfer(from: source.state)
    guard !report.matched.isEmpty else {
      throw Refusal(
        .input, source.file, "none of its \(source.state.count) tensors fits this network by name and shape",
        remedy: "give weights of a DualNorm-UNet for \(Setting.initial)")
    }
    return report
  }

  /// Freezes every parameter whose name contains none of `--freeze-except`. Running statistics still adapt.
  private func freeze(_ parameters: Parameters, in stage: Stage) throws {
    let names = configuration.freezeExcept
    guard !names.isEmpty else { return }
    let frozen = parameters.trainable.filter { entry in !names.contains { entry.name.contains($0) } }
    guard frozen.count < parameters.trainable.count else {
      throw Refusal(
        .input, "\(Setting.freezeExcept) \(names.joined(separator: " "))",
        "leaves nothing to train in the \(stage.rawValue) stage",
        remedy: "name one of its blocks, or give the stage no \(Setting.iterations)")
    }
    for entry in frozen { entry.tensor.requireGradient(false) }
  }

  private func checkFrozenNames() throws {
    let parameters = try DualNormNetwork(description.network, seed: 0).parameters.trainable.map(\.name)
    for name in configuration.freezeExcept where !parameters.contains(where: { $0.contains(name) }) {
      let parts = Set(parameters.flatMap { $0.split(separator: ".").map(String.init) }).sorted()
      throw Refusal(
        .input, "\(Setting.freezeExcept) \"\(quoted(name))\"", "no parameter's name contains it",
        detail: "the nearest part of a name is \"\(quoted(nearest(to: name, among: parts)))\"")
    }
  }
}

extension TrainingConfiguration {
  /// The stages of a run, with their iterations.
  package func stages(of network: NetworkPlan) -> [(stage: Stage, iterations: Int)] {
    Stage.allCases.map { ($0, iterations[$0]) }.filter { stage, iterations in
      iterations > 0 && (stage == .plain || network.dual != nil)
    }
  }
}

extension ModelDescription {
  /// The network of a stage; the plain stage's has no dual blocks.
  func network(of stage: Stage) -> NetworkPlan {
    var network = network
    if stage == .plain { network.dual = nil }
    return network
  }
}

extension TransferReport {
  /// `Initial weights: 120 tensors fit by name and shape; …`
  var summary: String {
    func part(_ names: [String], _ what: String) -> String? {
      names.isEmpty ? nil : "\(names.count) \(what) (\(listed(names)))"
    }
    let rest = [
      part(otherShape, "of another shape keep their own values"),
      part(missing, "not in the file keep their own values"),
      part(unused, "in the file are not used"),
    ].compactMap { $0 }
    return (["Initial weights: \(matched.count) tensors fit by name and shape"] + rest).joined(separator: "; ") + "."
  }
}
