public import ArgumentParser
import Basics
import DualNorm
import Foundation
import MedicalImaging
import Torch

/// The options of a training configuration. Missing ones come from `--config`, then from the defaults.
struct TrainOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp("YAML file of options, named as here without the dashes.", valueName: "file"),
    completion: .file())
  var config: String?

  @Option(help: .training(.recipe)) var recipe: TrainingRecipe?
  @Option(help: .training(.network)) var network: Architecture?
  @Option(help: .training(.dimensions)) var dimensions: Int?
  @Option(help: .training(.width)) var width: Int?
  @Option(help: .training(.norm)) var norm: PlainNorm?
  @Option(help: .training(.dualBlocks)) var dualBlocks: BlockList?
  @Option(help: .training(.mask)) var mask: MaskKind?
  @Option(help: .training(.maskSource)) var maskSource: MaskSource?
  @Option(help: .training(.localStatistics)) var localStatistics: LocalStatistics?
  @Option(help: .training(.reduction)) var reduction: Int?
  @Option(help: .training(.transformerLayers)) var transformerLayers: Int?
  @Option(help: .training(.transformerHeads)) var transformerHeads: Int?
  @Option(help: .training(.context)) var context: Int?

  @Flag(inversion: .prefixedNo, help: .training(.skipUnpaired)) var skipUnpaired: Bool?
  @Option(help: .training(.mergeLabels)) var mergeLabels: [NumberList<LabelValue>] = []
  @Option(help: .training(.excludeLabels)) var excludeLabels: NumberList<LabelValue>?
  @OptionGroup var preparation: PreparationOptions
  @Option(help: .training(.whitening)) var whitening: PreparationPlan.Whitening?
  @Option(help: .training(.validationFraction)) var validationFraction: Double?
  @Option(help: .training(.holdOut)) var holdOut: Double?
  @Option(help: .training(.splits), completion: .file()) var splits: String?
  @Option(help: .training(.fold)) var fold: Int?

  @Option(help: .training(.iterations)) var iterations: TupleArgument<StageIterations>?
  @Option(help: .training(.batchSize)) var batchSize: Int?
  @Option(help: .training(.learningRate)) var learningRate: Double?
  @Option(help: .training(.schedule)) var schedule: LearningRateSchedule.Kind?
  @Option(help: .training(.weightDecay)) var weightDecay: Double?
  @Option(help: .training(.loss)) var loss: LossKind?
  @Flag(inversion: .prefixedNo, help: .training(.deepSupervision)) var deepSupervision: Bool?
  @Option(help: .training(.foregroundShare)) var foregroundShare: Double?
  @Option(help: .training(.averaging)) var averaging: Double?
  @Option(help: .training(.augmentation)) var augmentation: PartList?
  @Option(help: .training(.flipAxes)) var flipAxes: AxisList?
  @Option(help: .training(.zoom)) var zoom: Double?
  @Flag(inversion: .prefixedNo, help: .training(.weightedCrossEntropy)) var weightedCrossEntropy: Bool?
  @Option(help: .training(.validateEvery)) var validateEvery: Int?
  @Option(help: .training(.precision)) var precision: Precision?
  @Option(help: .training(.device)) var device: DeviceChoice?
  @Option(name: .customLong("init"), help: .training(.initial), completion: .file()) var initial: String?
  @Option(parsing: .upToNextOption, help: .training(.freezeExcept)) var freezeExcept: [String] = []
  @Option(help: .training(.seed)) var seed: UInt64?
  @Option(help: .training(.threads)) var threads: Int?
  @Option(help: .training(.memory)) var memory: Double?

  /// - Throws: `Refusal` for other than two numbers.
  var stageIterations: StageIterations? { get throws { try iterations?.value(of: .iterations) } }

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
    try result.set(self)
    try result.set(preparation)
    // The default names blocks of the residual U-Net; another backbone has its own.
    if dualBlocks == nil, result.dualBlocks == TrainingConfiguration().dualBlocks {
      result.dualBlocks = result.network.standardDualBlocks
    }
    if let data { result.data = data }
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

/// Axes, such as `x,y`, or `none`.
struct AxisList: ExpressibleByArgument {
  let axes: [MirrorAxis]

  init?(argument: String) {
    let names = argument == "none" ? [] : argument.split(separator: ",", omittingEmptySubsequences: false)
    axes = names.compactMap { MirrorAxis(rawValue: String($0)) }
    if axes.count != names.count || Set(axes).count != axes.count { return nil }
  }

  static var allValueStrings: [String] { MirrorAxis.allCases.map(\.rawValue) + ["none"] }
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
    // The network's plan knows its blocks, and names the nearest.
    guard !names.contains("") else { return nil }
    blocks = names.map { BlockName(rawValue: String($0)) }
  }

  static var allValueStrings: [String] { Architecture.residualUNet.blocks.map(\.name.rawValue) + ["none"] }
}
