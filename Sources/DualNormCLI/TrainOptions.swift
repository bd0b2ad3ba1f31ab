import ArgumentParser
import DualNorm
import Foundation
import Torch

/// The options of a training configuration. Missing ones come from `--config`, then from the defaults.
struct TrainOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp("YAML file of options, named as here without the dashes.", valueName: "file"),
    completion: .file())
  var config: String?

  @Option(help: "Source of all options that are not given: standard, or published. (default: standard)")
  var recipe: TrainingRecipe?
  @Option(help: "Backbone: residual-unet, or unet++. (default: residual-unet)") var network: Architecture?
  @Option(help: "Channels of the first level. (default: 32)") var width: Int?
  @Option(help: "Plain norm: bn, in, gn, ln or dsbn (a bn for each site). (default: bn)") var norm: PlainNorm?
  @Option(
    help: ArgumentHelp(
      "Blocks with region-wise norms, or none; for unet++ x0_0 to x0_4, by default x0_0,x1_0,x2_0,x3_0. (default: inc,down1,down2,down3)",
      valueName: "block,…")
  )
  var dualBlocks: BlockList?
  @Option(help: "How masks are resized: soft (bilinear) or hard (nearest). (default: soft)") var mask: MaskKind?
  @Option(help: "Mask for the dual blocks: prediction, or the bounds reference and uniform. (default: prediction)")
  var maskSource: MaskSource?
  @Option(help: "predicted, or measured: also normalize each region by its statistics. (default: predicted)")
  var localStatistics: LocalStatistics?
  @Option(help: "Ratio of a dual layer's channels to its hidden channels. (default: 2)") var reduction: Int?
  @Option(help: "Neighbouring slices in the network's input, odd. (default: 3, or 1 for 2-D data)") var context: Int?

  @Option(help: ArgumentHelp("Labels that become one class; may be given again.", valueName: "label,…"))
  var mergeLabels: [NumberList<UInt8>] = []
  @Option(help: ArgumentHelp("Labels that become background.", valueName: "label,…"))
  var excludeLabels: NumberList<UInt8>?
  @OptionGroup var preparation: PreparationOptions
  @Option(help: "Voxels for z-score normalization: volume, or foreground (those above the mean). (default: foreground)")
  var whitening: PreparationPlan.Whitening?
  @Option(help: "Share of each site's patients that choose the best checkpoint. (default: 0.15)")
  var validationFraction: Double?
  @Option(help: "Share of each site's patients kept for the test, unseen. (default: 0)") var holdOut: Double?
  @Option(
    help: ArgumentHelp("Folds as in nnU-Net's splits_final.json, or the splits.json of a run.", valueName: "file"),
    completion: .file())
  var splits: String?
  @Option(help: "Index of a fold, from 0: its val cases are kept for the test, its train cases train.") var fold: Int?

  @Option(
    help: ArgumentHelp("Iterations of the plain and of the dual stage. (default: 4000,2000)", valueName: "plain,dual"))
  var iterations: NumberList<Int>?
  @Option(help: "Slices per batch, balanced over sites. (default: 8, rounded up to a multiple of the sites)")
  var batchSize: Int?
  @Option(help: "Base rate of Adam. (default: 0.001)") var learningRate: Double?
  @Option(help: "Schedule of the learning rate: cosine, or plateau as published. (default: cosine)")
  var schedule: LearningRateSchedule.Kind?
  @Option(help: "Decoupled weight decay (AdamW), such as 0.01. (default: 0)") var weightDecay: Double?
  @Option(help: "Loss: batch-dice (with cross entropy), or published. (default: batch-dice)") var loss: LossKind?
  @Flag(inversion: .prefixedNo, help: "Coarser levels of the network learn to segment too. (default: on)")
  var deepSupervision: Bool?
  @Option(help: "Share of slices drawn from those with foreground; the rest from all. (default: 0.5)")
  var foregroundShare: Double?
  @Option(
    help:
      "Decay of the moving average of the weights for validation and the model, such as 0.99. (default: 0)")
  var averaging: Double?
  @Option(
    help: ArgumentHelp(
      "Changes of slices: published (rotation, flip, shift), all, none, or parts: \(PartList.names). (default: published)",
      valueName: "part,…"))
  var augmentation: PartList?
  @Option(help: "Largest zoom of the augmentation, from 1 (off). (default: 1)") var zoom: Double?
  @Flag(inversion: .prefixedNo, help: "Weight rare classes in the cross entropy. (default: off)")
  var weightedCrossEntropy: Bool?
  @Option(help: "Iterations between validations. (default: a tenth of the stage)") var validateEvery: Int?
  @Option(
    help:
      "Convolutions in float32, tf32 (faster on GPUs), or bfloat16. (default: bfloat16 if the hardware has it)"
  )
  var precision: Precision?
  @Option(help: ArgumentHelp("Device of the network: cpu, cuda, cuda:1, or auto. (default: cpu)", valueName: "device"))
  var device: DeviceChoice?
  @Option(
    name: .customLong("init"),
    help: ArgumentHelp("Start from the weights of a run or file that fit by name and shape.", valueName: "run|file"),
    completion: .file())
  var initial: String?
  @Option(
    parsing: .upToNextOption,
    help: ArgumentHelp("Train only parameters whose name contains one of these, such as outc.", valueName: "name"))
  var freezeExcept: [String] = []
  @Option(help: "Another seed gives another split, initialization and order. (default: 1)") var seed: UInt64?
  @Option(help: "Processor threads. (default: one per core)") var threads: Int?
  @Option(
    help: ArgumentHelp(
      "Memory for one training's prepared volumes, in GB; the others are read when needed. (default: half of the machine's, divided by --jobs in experiments)",
      valueName: "GB"))
  var memory: Double?

  /// - Throws: `Refusal` for other than two numbers.
  var stageIterations: StageIterations? {
    get throws { try iterations.map { try StageIterations($0.values) } }
  }

  /// Tells whether every option has its default.
  var areDefault: Bool { config == nil && (try? resolved()) == TrainingConfiguration() }

  /// Combines the options, the configuration file and the defaults.
  ///
  /// Paths become absolute, so that the run's own configuration can be used from another folder.
  ///
  /// - Parameter data: the data set, instead of the file's.
  /// - Throws: `Refusal` for a file that is no configuration, or an invalid value.
  func resolved(data: String? = nil) throws -> TrainingConfiguration {
    var result =
      try config.map { try TrainingConfiguration(yaml: URL(fileURLWithPath: $0), recipe: recipe) }
      ?? TrainingConfiguration(recipe ?? .standard)
    func set<Value>(_ path: WritableKeyPath<TrainingConfiguration, Value>, _ value: Value?) {
      if let value { result[keyPath: path] = value }
    }
    // Without this overload, a missing option would overwrite the value with nil.
    func set<Value>(_ path: WritableKeyPath<TrainingConfiguration, Value?>, _ value: Value?) {
      if let value { result[keyPath: path] = value }
    }
    set(\.network, network)
    set(\.width, width)
    set(\.norm, norm)
    // The default names blocks of the residual U-Net; another backbone has its own.
    let isDefault = result.dualBlocks == TrainingConfiguration().dualBlocks
    set(\.dualBlocks, dualBlocks?.blocks ?? (isDefault ? result.network.standardDualBlocks : nil))
    set(\.mask, mask)
    set(\.maskSource, maskSource)
    set(\.localStatistics, localStatistics)
    set(\.reduction, reduction)
    set(\.context, context)
    set(\.mergeLabels, mergeLabels.isEmpty ? nil : mergeLabels.map(\.values))
    set(\.excludeLabels, excludeLabels?.values)
    try preparation.set(in: &result)
    set(\.validationFraction, validationFraction)
    set(\.holdOut, holdOut)
    set(\.splits, splits)
    set(\.fold, fold)
    set(\.iterations, try stageIterations)
    set(\.batchSize, batchSize)
    set(\.learningRate, learningRate)
    set(\.schedule, schedule)
    set(\.weightDecay, weightDecay)
    set(\.loss, loss)
    set(\.deepSupervision, deepSupervision)
    set(\.foregroundShare, foregroundShare)
    set(\.averaging, averaging)
    set(\.augmentation, augmentation?.parts)
    set(\.whitening, whitening)
    set(\.precision, precision)
    set(\.device, device)
    set(\.initial, initial)
    set(\.freezeExcept, freezeExcept.isEmpty ? nil : freezeExcept)
    set(\.zoom, zoom)
    set(\.weightedCrossEntropy, weightedCrossEntropy)
    set(\.validateEvery, validateEvery)
    set(\.seed, seed)
    set(\.threads, threads)
    set(\.memory, memory)
    set(\.data, data)
    for path in [\TrainingConfiguration.data, \.splits, \.initial] {
      result[keyPath: path] = result[keyPath: path].map { URL(fileURLWithPath: $0).standardizedFileURL.path }
    }
    try result.validate()
    return result
  }
}

extension Architecture: ExpressibleByArgument {}
extension PlainNorm: ExpressibleByArgument {}
extension MaskKind: ExpressibleByArgument {}
extension MaskSource: ExpressibleByArgument {}
extension LocalStatistics: ExpressibleByArgument {}
extension LearningRateSchedule.Kind: ExpressibleByArgument {}
extension TrainingRecipe: ExpressibleByArgument {}
extension LossKind: ExpressibleByArgument {}
extension Precision: ExpressibleByArgument {}
extension DeviceChoice: ExpressibleByArgument {
  public var defaultValueDescription: String { rawValue }
}
extension PreparationPlan.Whitening: ExpressibleByArgument {}

/// Parts of the augmentation, such as `rotation,scale`; also `published`, `all` or `none`.
struct PartList: ExpressibleByArgument {
  let parts: [Augmentation.Part]

  static let names = Augmentation.Part.allCases.map(\.rawValue).joined(separator: ", ")

  init?(argument: String) {
    switch argument {
    case "none": parts = []
    case "published": parts = Augmentation.published
    case "all": parts = Augmentation.Part.allCases
    default:
      let names = argument.split(separator: ",", omittingEmptySubsequences: false)
      parts = names.compactMap { Augmentation.Part(rawValue: String($0)) }
      if parts.count != names.count { return nil }
    }
  }

  static var allValueStrings: [String] {
    ["published", "all", "none"] + Augmentation.Part.allCases.map(\.rawValue)
  }
}

/// Block names, such as `inc,down1`, or `none`.
struct BlockList: ExpressibleByArgument {
  let blocks: [BlockName]

  init?(argument: String) {
    if argument == "none" {
      blocks = []
      return
    }
    let names = argument.split(separator: ",", omittingEmptySubsequences: false)
    blocks = names.map { BlockName(rawValue: String($0)) }
    guard blocks.allSatisfy(Self.known.contains) else { return nil }
  }

  /// Block names of all backbones; the plan checks those of the chosen one.
  private static let known = Set(Architecture.allCases.flatMap(\.blocks).map(\.name))

  static var allValueStrings: [String] { Architecture.residualUNet.blocks.map(\.name.rawValue) + ["none"] }
}
