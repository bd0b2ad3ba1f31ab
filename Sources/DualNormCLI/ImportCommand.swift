public import ArgumentParser
import Basics
import DualNorm
import Foundation
public import MedicalImaging
import Scores
import Torch

struct ImportCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "import",
    abstract: "Make a run folder from a PyTorch checkpoint of the authors' network, or from a model of nnU-Net.",
    discussion: """
      Examples:
        dualnorm import reference.pth --output RUN --classes 2 --size 384,384
        dualnorm import nnUNet_results/Dataset004_Hippocampus/nnUNetTrainer__nnUNetPlans__2d --output RUN

      Reads torch.save of a state_dict (or safetensors) without executing anything. Width, channels, norm, dual blocks \
      and reduction are inferred from names and shapes.

      A folder of nnU-Net 2 has plans.json, dataset.json and fold_0, fold_1 and so on. These say everything, so no \
      other option is needed. Several folds become RUN/fold_0, RUN/fold_1 and so on, and predict --model RUN takes all \
      as an ensemble. With --mirror predict does what nnU-Net's own prediction does.
      """)

  @Argument(
    help: ArgumentHelp("A .pth or .safetensors file, or a model's folder of nnU-Net.", valueName: "file"),
    completion: .file()) var file: String
  @Option(name: .shortAndLong, help: ArgumentHelp("The run folder to make.", valueName: "dir"), completion: .directory)
  var output: String
  @Option(help: "Classes, background included; checked against the file.") var classes: Int?
  @Option(help: "How its masks are resized: soft or hard.") var mask = MaskKind.soft
  @Option(help: "Whether its dual layers normalize regions by their own statistics: predicted or measured.")
  var localStatistics = LocalStatistics.predicted
  @Option(help: "Modalities; the file's channels divided by them are the context slices.") var modalities = 1
  @Option(help: ArgumentHelp("The label of each class in files. (default: 1, 2, …)", valueName: "label,…"))
  var labels: NumberList<LabelValue>?
  @Option(
    help: "Voxels for z-score normalization: volume, as in the authors' code, or foreground. ct needs training cases.")
  var whitening = PreparationPlan.Whitening.volume
  @Option(
    help: ArgumentHelp(
      "Orientation of its training volumes, as dualnorm check reports it: LPS, RAS and so on; other volumes are turned. (default: none is turned)",
      valueName: "code"))
  var orientation: Orientation?
  @OptionGroup var preparation: PreparationOptions
  @OptionGroup(title: "Messages") var messages: MessageOptions

  func run() throws {
    Messages.begin(messages)
    let source = URL(fileURLWithPath: file)
    if NNUNetFolder.isAt(source) { return try importFolds(of: source) }
    try refuseOtherFolders(source)
    let run = RunFolder(URL(fileURLWithPath: output))
    try run.requireEmpty()
    try requireValidPreparation()
    let state = try WeightFile(URL(fileURLWithPath: file)).state
    var inferred = try NetworkPlan(inferredFrom: state, maskKind: mask, file: file)
    let options = try configuration(of: inferred)
    try requireFitting(inferred)
    inferred.dual?.localStatistics = localStatistics
    let description = ModelDescription(
      network: inferred, preparation: try options.plan(orientation: orientation),
      labels: LabelScheme(groups: try values(of: inferred).map { [$0] }),
      modalities: modalities == 1 ? ["image"] : (0..<modalities).map { "modality \($0)" },
      sites: inferred.norm == .dsbn ? (1...inferred.sites).map { "site \($0)" } : [], largestComponents: .published)
    try description.validate(file: file)
    let network = try DualNormNetwork(inferred, seed: 0)
    try network.parameters.load(state, file: file)
    let lock = try run.create()
    defer { withExtendedLifetime(lock) {} }
    try Safetensors(tensors: network.parameters.stateDictionary).write(to: run.model)
    try run.write(options)
    try run.write(description)
    Messages.say("Imported \(network.parameters.entries.count) tensors to \(output).")
    print(printableLines(description.summary))
  }

  /// Refuses impossible options before the file is read.
  private func requireValidPreparation() throws {
    guard whitening != .ct else {
      throw Refusal(
        .input, "--whitening is ct, whose mean and deviation come from training cases",
        remedy: "give volume or foreground")
    }
    var options = TrainingConfiguration(.published)
    try options.set(preparation)
    options.dimensions = options.size?.depth == nil ? 2 : 3
    _ = try options.plan()
  }

  /// The options that would train such a network.
  ///
  /// - Throws: `Refusal` for options of the preparation that do not fit it.
  private func configuration(of network: NetworkPlan) throws -> TrainingConfiguration {
    var options = TrainingConfiguration(.published)
    (options.network, options.width, options.norm) = (network.architecture, network.width, network.norm)
    options.dimensions = network.levels.dimensions
    (options.dualBlocks, options.mask) = (network.dual?.blocks ?? [], mask)
    if let dual = network.dual { options.reduction = dual.reduction }
    options.deepSupervision = network.deepSupervision
    (options.localStatistics, options.whitening) = (localStatistics, whitening)
    options.context = network.inputChannels / max(modalities, 1)
    options.size = network.size
    try options.set(preparation)
    guard options.dimensions == 2 || options.size != nil else {
      throw Refusal(
        .input, file, "is a network of volumes, whose window it does not tell",
        remedy: "give the window of its training with --size, depth first")
    }
    guard options.dimensions == 3 || options.spacing?.z == nil else {
      throw Refusal(.input, "--spacing has three numbers, and \(file) is a network of slices", remedy: "give x and y")
    }
    return options
  }

  /// - Throws: `Refusal` for options that the network contradicts.
  private func requireFitting(_ network: NetworkPlan) throws {
    guard localStatistics == .predicted || network.dual != nil else {
      throw Refusal(
        .input, file, "has no dual blocks that --local-statistics could change", remedy: "leave --local-statistics out")
    }
    if let classes, classes != network.classes {
      throw Refusal(
        .input, file, "holds \(network.classes) classes (background included), not the \(classes) of --classes")
    }
    guard modalities >= 1, network.inputChannels % modalities == 0 else {
      throw Refusal(
        .input,
        "--modalities is \(modalities), which does not divide the \(network.inputChannels) channels of \(file)")
    }
  }

  /// The value of each foreground class in files.
  private func values(of network: NetworkPlan) throws -> [LabelValue] {
    let values = labels?.values ?? (1..<network.classes).map { LabelValue(clamping: $0) }
    guard values.count == network.classes - 1, Set(values).count == values.count, !values.contains(0) else {
      throw Refusal(
        .input, "--labels names \(values.count) labels",
        remedy: "give \(network.classes - 1) different ones above 0, one a foreground class")
    }
    return values
  }
}

extension Orientation: ExpressibleByArgument {
  public init?(argument: String) { self.init(code: argument.uppercased()) }
}
