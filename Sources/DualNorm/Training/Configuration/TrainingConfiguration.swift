import Basics
package import Foundation
package import MedicalImaging
package import Torch
import Yams

/// Everything that decides how a run trains. `TrainingOption.all` has the keys of its YAML file and their valid values.
package struct TrainingConfiguration: Equatable, Sendable {
  /// The folder of the data set.
  package var data: String?
  /// The recipe, which gives the values that the user leaves out.
  public internal(set) var recipe = TrainingRecipe.standard

  // The network
  /// The backbone.
  package var network = Architecture.residualUNet
  /// 2 for a network of slices, 3 for one of volumes.
  package var dimensions = 2
  package var width = 32
  package var norm = PlainNorm.bn
  package var dualBlocks = Architecture.residualUNet.standardDualBlocks
  package var mask = MaskKind.soft
  /// The source of the final pass's mask.
  package var maskSource = MaskSource.prediction
  /// The local statistics of dual layers, which may also normalize each region by its own.
  package var localStatistics = LocalStatistics.predicted
  package var reduction = 2
  /// Layers and heads of TransUNet's transformer; by default those of `TransformerPlan`.
  package var transformerLayers, transformerHeads: Int?
  /// Number of neighbouring slices in the input, odd; by default 3, or 1 if every case has a single slice.
  package var context: Int?

  // The data
  /// Leaves out images without a mask, as in a data set that is being labelled.
  package var skipUnpaired = false
  /// Groups of labels that become one class each, for example `[[1, 2]]`.
  package var mergeLabels: [[LabelValue]] = []
  /// Labels that become background.
  package var excludeLabels: [LabelValue] = []
  /// Lowest and highest intensity; others are clipped to them before z-score normalization ("whitening").
  package var window: IntensityWindow?
  /// Spacing x, y, and of volumes z, in mm to resample to.
  package var spacing: VoxelSpacing?
  /// Height and width in pixels to resample slices to.
  package var resampleSize: ImageSize?
  /// Size of the windows of training. By default that of the largest slice, or in 3-D what `VolumePlan` finds.
  package var size: Extent?
  /// The voxels whose mean and standard deviation normalize the intensities; by default `foreground`, or `ct` for CT.
  package var whitening: PreparationPlan.Whitening?
  /// Share of each site's patients that choose the best checkpoint.
  package var validationFraction = 0.15
  /// Share of each site's patients that the run never sees.
  package var holdOut = 0.0
  /// A file of folds (nnU-Net's `splits_final.json`) or a run's `splits.json`, to use instead of a new split.
  package var splits: String?
  /// Index of the fold to test, from 0; the others train.
  package var fold: Int?

  // The training
  /// Number of iterations of the plain and the dual stage; 0 skips a stage.
  package var iterations = StageIterations(plain: 4000, dual: 2000)
  /// Number of slices or 3-D windows per batch; by default see `batchSize(sites:)`.
  package var batchSize: Int?
  package var learningRate = 1e-3
  package var schedule = LearningRateSchedule.Kind.cosine
  /// Decoupled weight decay, for weights only.
  package var weightDecay = 0.0
  package var loss = LossKind.batchDice
  /// Tells whether coarser levels learn to segment too (deep supervision).
  package var deepSupervision = true
  /// Share of each site's turns that go to slices with foreground.
  package var foregroundShare = 0.5
  /// Decay of the moving average of the weights, which validation and the model use; 0 uses the weights themselves.
  package var averaging = 0.0
  /// The augmentation's possible changes of a slice.
  package var augmentation = Augmentation.published
  /// Axes that the augmentation's flip mirrors; by default x with two classes, and none with more.
  package var flipAxes: [MirrorAxis]?
  /// Largest zoom of the augmentation.
  package var zoom = 1.0
  /// Tells whether the cross entropy is weighted by 1 − a class's share of the batch.
  package var weightedCrossEntropy = false
  /// Number of iterations between validations; by default a tenth of the stage.
  package var validateEvery: Int?
  /// Precision of the convolutions; by default the device's.
  package var precision: Precision?
  /// The device to train on.
  package var device = DeviceChoice.cpu
  /// A run folder or a weights file to start from.
  package var initial: String?
  /// Parts of the names of the parameters to train; empty trains all.
  package var freezeExcept: [String] = []
  package var seed: UInt64 = 1
  /// Number of processor threads; by default one per core.
  package var threads: Int?
  /// Gigabytes of memory for prepared volumes; by default half of the machine's memory.
  package var memory: Double?

  /// The default of `memory`.
  package static var defaultMemory: Double { Double(MemoryBudget.defaultBytes) / 1e9 }

  /// The standard recipe.
  package init() {}

  /// - Throws: `Refusal` naming the first option with an invalid value.
  package func validate() throws {
    for option in TrainingOption.all { try option.check(self) }
    try require(
      !dualBlocks.isEmpty || iterations.plain > 0,
      "\(Setting.iterations) is \(iterations) and there are no dual blocks, so no stage is left",
      "give the plain stage iterations")
    let hasDualStage = !dualBlocks.isEmpty && iterations.dual > 0
    func requireDualStage(_ isStandard: Bool, _ option: Setting, _ value: String) throws {
      try require(
        hasDualStage || isStandard, "\(option) is \(value), and there is no dual stage that it could change",
        "name \(Setting.dualBlocks) and give the second of \(Setting.iterations), or leave \(option) out")
    }
    try requireDualStage(maskSource == .prediction, .maskSource, maskSource.rawValue)
    try requireDualStage(localStatistics == .predicted, .localStatistics, localStatistics.rawValue)
    try require(
      !weightedCrossEntropy || loss == .published,
      "\(Setting.weightedCrossEntropy) weights the published loss only, and \(Setting.loss) is \(loss.rawValue)",
      "give \(Setting.loss) published")
    for (setting, value) in [
      (Setting.transformerLayers, transformerLayers), (.transformerHeads, transformerHeads),
    ] {
      try require(
        value == nil || network == .transUNet,
        "\(setting) is \(value ?? 0), and \(network.rawValue) has no transformer",
        "give \(Setting.network) transunet, or leave \(setting) out")
    }
    try requireWorkable()
    for group in mergeLabels {
      try require(
        group.count >= 2 && !group.contains(0) && Set(group).count == group.count,
        "\(Setting.mergeLabels) is \(group.map(String.init).joined(separator: ","))",
        "give two or more different labels above 0")
    }
  }
}

private func require(
  _ condition: Bool, _ found: @autoclosure () -> String, _ remedy: @autoclosure () -> String
) throws {
  if !condition { throw Refusal(.input, found(), remedy: remedy()) }
}

/// Its keys are those of the options; options that are left open have none.
extension TrainingConfiguration: Codable {
  package init(from decoder: any Decoder) throws {
    self.init()
    let values = try decoder.container(keyedBy: Setting.self)
    for option in TrainingOption.all { try option.decode(&self, values) }
  }

  package func encode(to encoder: any Encoder) throws {
    var values = encoder.container(keyedBy: Setting.self)
    for option in TrainingOption.all { try option.encode(self, &values) }
  }
}

extension TrainingConfiguration {
  /// Reads a YAML file whose keys are option names; missing keys keep their defaults.
  ///
  /// In a file from before recipes, `augmentation: true` means the published augmentation and `false` none. Its missing
  /// keys mean what that version did.
  ///
  /// - Parameter recipe: the recipe for missing values; nil takes the file's recipe.
  /// - Throws: `Refusal` naming the file and a key that is unknown or has a value of the wrong type. Also for a file
  ///   that names another recipe.
  package init(yaml url: URL, recipe: TrainingRecipe? = nil) throws {
    self = try Self.file(recipe, path: url.path).read(url)
    let isOwn = dualBlocks != Self().dualBlocks
    for name in isOwn ? dualBlocks : [] {
      if let fault = network.fault(of: name, depth: largestDepth, in: url.path) { throw fault }
    }
    if let recipe { self.recipe = recipe }
  }

  package func yaml() throws -> String { try Self.file().yaml(self) }

  private static func file(_ recipe: TrainingRecipe? = nil, path: String = "") -> OptionsFile<Self> {
    OptionsFile(
      defaults: { given in
        let named = given?.mapping?["recipe"]?.string.flatMap(TrainingRecipe.init)
        if let recipe, let named, named != recipe {
          throw Refusal(
            .input, path, "names the recipe \(named.rawValue), and \(Setting.recipe) is \(recipe.rawValue)",
            remedy: "leave \(Setting.recipe) out, or take the recipe and the values that are not your own out of the "
              + "file")
        }
        guard recipe == nil, given?.saysWhetherToAugment == true else { return Self(recipe ?? named ?? .standard) }
        return .beforeRecipes
      }, keys: TrainingOption.all.map(\.setting.rawValue), upgrade: \.withAugmentationAsList, sample: "width: 16",
      example: { key in Setting(rawValue: key).flatMap { TrainingOption[$0]?.example } ?? "" })
  }
}

extension Node {
  /// Tells whether this is a file from before recipes.
  fileprivate var saysWhetherToAugment: Bool { mapping?["recipe"] == nil && mapping?["augmentation"]?.bool != nil }

  fileprivate var withAugmentationAsList: Node {
    guard saysWhetherToAugment, let augments = mapping?["augmentation"]?.bool else { return self }
    var result = self
    result["augmentation"] = Node(augments ? Augmentation.published.map { Node($0.rawValue) } : [])
    return result
  }
}
