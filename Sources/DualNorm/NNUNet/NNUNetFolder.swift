import Basics
package import Foundation
package import MedicalImaging
package import Torch

/// The folder of a model that nnU-Net 2 trained: `plans.json`, `dataset.json` and a checkpoint a fold.
package struct NNUNetFolder {
  private let url: URL
  private let dataset: NNUNetDataset
  /// Names of the folders that hold a checkpoint, such as `fold_0`.
  package let folds: [String]
  /// Sentences on folds that are left out.
  package let leftOut: [String]

  /// A fold's model.
  package struct Model {
    package let description: ModelDescription
    package let weights: StateDictionary
  }

  private static let checkpoint = "checkpoint_final.pth"

  /// Tells whether a folder holds plans or a data set of nnU-Net.
  package static func isAt(_ url: URL) -> Bool { files.contains { exists($0, in: url) } }

  /// Tells whether a folder holds both.
  package static func isWhole(_ url: URL) -> Bool { files.allSatisfy { exists($0, in: url) } }

  private static let files = ["plans.json", "dataset.json"]

  private static func exists(_ name: String, in folder: URL) -> Bool {
    FileManager.default.fileExists(atPath: folder.appendingPathComponent(name).path)
  }

  /// - Throws: `Refusal` for a folder without a finished fold, or labels that are not supported.
  package init(_ url: URL) throws {
    self.url = url
    _ = try readJSONObject(url.appendingPathComponent("plans.json"))
    dataset = try NNUNetDataset(url.appendingPathComponent("dataset.json"))
    let names = (try? FileManager.default.contentsOfDirectory(atPath: url.path)) ?? []
    let finished = names.filter { name in
      FileManager.default.fileExists(atPath: url.appendingPathComponent("\(name)/\(Self.checkpoint)").path)
    }
    let numbered = finished.filter { $0.wholeMatch(of: /fold_\d+/) != nil }
    // The fold of all cases is no member beside others, as in nnU-Net.
    let taken =
      numbered.isEmpty
      ? finished.filter { $0 == "fold_all" }
      : numbered.sorted { $0.localizedStandardCompare($1) == .orderedAscending }
    folds = taken
    leftOut = names.filter { $0.wholeMatch(of: /fold_(\d+|all)/) != nil && !taken.contains($0) }.sorted().map { name in
      let reason = finished.contains(name) ? "is of all cases, beside folds" : "has no \(Self.checkpoint)"
      return "\(url.appendingPathComponent(name).path) \(reason), so it is left out."
    }
    guard !folds.isEmpty else {
      throw Refusal(
        .input, url.path, "has no fold with a \(Self.checkpoint)",
        remedy: "finish nnU-Net's training, or give the folder that holds fold_0")
    }
  }

  /// The file of a post-processing that nnU-Net found and that is not read; nil without one.
  package var postprocessing: URL? {
    let names = (try? FileManager.default.contentsOfDirectory(atPath: url.path)) ?? []
    return names.filter { $0.hasPrefix("crossval_results") }
      .map { url.appendingPathComponent("\($0)/postprocessing.pkl") }
      .first { FileManager.default.fileExists(atPath: $0.path) }
  }

  /// Reads the model of a fold.
  ///
  /// - Throws: `Refusal` for a network, preparation or trainer that is not supported.
  package func model(of fold: String) throws -> Model {
    let file = url.appendingPathComponent("\(fold)/\(Self.checkpoint)")
    let checkpoint = try TorchCheckpoint.read(file)
    guard checkpoint.key == "network_weights", case .text(let trainer)? = checkpoint.facts["trainer_name"],
      case .text(let configuration)? = checkpoint.facts["init_args.configuration"]
    else {
      throw Refusal(
        .input, file.path, "has no network_weights, trainer_name and configuration, as nnU-Net writes them",
        remedy: "give a checkpoint that nnU-Net 2 wrote")
    }
    guard Self.isKnown(trainer: trainer) else {
      throw Refusal(
        .input, file.path, "was trained by \(quoted(trainer)), whose network may differ from the plans'",
        remedy: "give a model of nnUNetTrainer, or of a variant of nnU-Net's own that keeps the network")
    }
    let plans = try NNUNetPlans(url.appendingPathComponent("plans.json"), configuration: configuration)
    let builder = NNUNetModelBuilder(
      plans: plans, dataset: dataset, file: url.appendingPathComponent("plans.json").path, name: configuration)
    var description = try builder.description()
    description.mirrorAxes = try mirrorAxes(checkpoint, dimensions: description.network.levels.dimensions, file)
    description.origin =
      "nnU-Net, \(([plans.dataset, configuration, fold, trainer].filter { !$0.isEmpty }).joined(separator: ", "))"
    try description.validate(file: file.path)
    return Model(description: description, weights: try Self.withoutCopies(checkpoint.tensors, file))
  }

  /// Trainers of nnU-Net 2.8.1 that change losses, batches or optimizers and keep its network, without the beginning
  /// `nnUNetTrainer`.
  private static let variants: Set<String> = [
    "",
    "Adam", "Adam1en3", "Adam3en4", "Adan", "Adan1en1", "Adan1en3", "Adan3en4", "AdanCosAnneal",
    "Benchmark_5epochs", "Benchmark_5epochs_noDataLoading", "CELoss", "CELoss_5epochs", "CosAnneal", "DA5",
    "DA5Segord0", "DA5_10epochs", "DA5ord0", "DiceCELoss_noSmooth", "DiceLoss", "DiceTopK10Loss", "NoDA",
    "NoDeepSupervision", "NoMirroring", "Topk10Loss", "Topk10LossLS01", "VanillaAdam", "VanillaAdam1en3",
    "VanillaAdam3en4", "_DASegOrd0", "_DASegOrd0_NoMirroring", "_noDummy2DDA", "_onlyMirror01",
    "_onlyMirror01_1500ep", "_onlyMirror01_DA5", "_onlyMirror01_DASegOrd0", "_probabilisticOversampling",
    "_probabilisticOversampling_010", "_probabilisticOversampling_033", "_warmup",
  ]

  private static func isKnown(trainer: String) -> Bool {
    let base = "nnUNetTrainer"
    guard trainer.hasPrefix(base) else { return false }
    let variant = String(trainer.dropFirst(base.count))
    return variants.contains(variant) || variant.wholeMatch(of: /_\d+epochs?(_NoMirroring)?/) != nil
  }

  /// nil where the checkpoint does not say it.
  private func mirrorAxes(_ checkpoint: TorchCheckpoint, dimensions: Int, _ file: URL) throws -> [MirrorAxis]? {
    let found = checkpoint.facts["inference_allowed_mirroring_axes"]
    if found == TorchCheckpoint.Fact.none { return [] }
    guard case .numbers(let axes)? = found else { return nil }
    guard axes.allSatisfy({ (0..<dimensions).contains($0) }), Set(axes).count == axes.count else {
      throw Refusal(
        .input, file.path, "mirrors along the axes \(axes), which its network of \(dimensions) axes cannot",
        remedy: "restore the file")
    }
    return axes.map { [.x, .y, .z][dimensions - 1 - $0] }
  }

  /// The tensors under one name each. nnU-Net's files name a layer several times.
  private static func withoutCopies(_ state: StateDictionary, _ file: URL) throws -> StateDictionary {
    var kept: StateDictionary = []
    var places: [String: Int] = [:]
    for (name, tensor) in state {
      var own = name
      if own.hasPrefix("decoder.encoder.") { own = String(own.dropFirst("decoder.".count)) }
      own = own.replacing(".all_modules.0.", with: ".conv.").replacing(".all_modules.1.", with: ".norm.")
      own = own.replacing(".all_modules.2.", with: ".norm.")  // behind dropout, which has no tensors
      if let place = places[own] {
        guard kept[place].tensor.shape == tensor.shape, kept[place].tensor.data == tensor.data else {
          throw Refusal(
            .input, file.path, "holds \(quoted(name)) and \(quoted(own)) with different numbers, expected copies",
            remedy: "restore the file")
        }
      } else {
        places[own] = kept.count
        kept.append((own, tensor))
      }
    }
    return kept
  }
}

extension ModelDescription {
  /// The same model, whose volumes are turned to an orientation first.
  package func oriented(to orientation: Orientation) -> ModelDescription {
    var result = self
    result.preparation = preparation.oriented(to: orientation)
    return result
  }
}
