import Foundation
import Torch
import Yams

/// Everything that decides how a run trains; the keys of its YAML file are the command line's option names.
public struct TrainingConfiguration: Codable, Equatable, Sendable {
  /// The folder of the data set.
  public var data: String?
  /// What the values that are not given come from.
  public internal(set) var recipe = TrainingRecipe.standard

  // The network
  public var width = 32
  public var norm = PlainNorm.bn
  public var dualBlocks: [BlockName] = [.inc, .down1, .down2, .down3]
  public var mask = MaskKind.soft
  /// What the final pass takes as its mask.
  public var maskSource = MaskSource.prediction
  /// Whether dual layers also normalize each region by its own statistics.
  public var localStatistics = LocalStatistics.predicted
  public var reduction = 2
  /// Neighbouring slices that the network sees, odd.
  public var context = 3

  // The data
  /// Labels that become one class, for example `[[1, 2]]`.
  public var mergeLabels: [[UInt8]] = []
  /// Intensities are clipped to this before whitening.
  public var window: [Double]?
  /// In-plane spacing x, y in mm that slices are resampled to.
  public var spacing: [Double]?
  /// Height and width in pixels that slices are resampled to.
  public var resampleSize: [Int]?
  /// Height and width in pixels that slices are cropped or padded to.
  public var size: [Int]?
  /// Which voxels give the mean and standard deviation of whitening.
  public var whitening = PreparationPlan.Whitening.foreground
  /// Share of each site's patients that choose the best checkpoint.
  public var validationFraction = 0.15
  /// Share of each site's patients that the run never sees.
  public var holdOut = 0.0
  /// A file of folds (nnU-Net's `splits_final.json`), or the `splits.json` of a run, to use instead of a new split.
  public var splits: String?
  /// Which of the folds is tested, from 0; the others train.
  public var fold: Int?

  // The training
  /// Iterations of the plain and of the dual stage; 0 skips a stage.
  public var iterations = [4000, 2000]
  /// Slices a batch; without it the smallest multiple of the number of sites from 8 on.
  public var batchSize: Int?
  public var learningRate = 1e-3
  public var schedule = LearningRateSchedule.Kind.cosine
  /// Decoupled, of weights only.
  public var weightDecay = 0.01
  public var loss = LossKind.batchDice
  /// Share of each site's turns that go to slices with foreground.
  public var foregroundShare = 0.5
  /// Decay of the moving average of the weights, which is what validation and the model take; 0 takes the weights.
  public var averaging = 0.99
  /// The changes that a slice may undergo each time it is seen.
  public var augmentation: [Augmentation.Part] = TrainingRecipe.standardAugmentation
  /// Largest zoom of the augmentation.
  public var zoom = 1.0
  /// Weights the cross entropy by 1 − a class's share of the batch.
  public var weightedCrossEntropy = false
  /// Iterations between two validations; without it a tenth of the stage.
  public var validateEvery: Int?
  /// Of the convolutions.
  public var precision = Precision.float32
  /// A run folder or a file of weights to start from.
  public var initial: String?
  /// Only parameters whose name contains one of these are trained; empty trains all.
  public var freezeExcept: [String] = []
  public var seed: UInt64 = 1
  /// Processor threads; without it one a core.
  public var threads: Int?

  /// The standard recipe.
  public init() {}

  public enum CodingKeys: String, CodingKey, CaseIterable {
    case data, recipe, width, norm, mask, reduction, context, window, spacing, size, whitening, iterations, schedule
    case loss, averaging, augmentation, zoom, precision, seed, threads
    case splits, fold
    case initial = "init"
    case freezeExcept = "freeze-except"
    case weightDecay = "weight-decay"
    case foregroundShare = "foreground-share"
    case dualBlocks = "dual-blocks"
    case maskSource = "mask-source"
    case localStatistics = "local-statistics"
    case mergeLabels = "merge-labels"
    case resampleSize = "resample-size"
    case validationFraction = "validation-fraction"
    case holdOut = "hold-out"
    case batchSize = "batch-size"
    case learningRate = "learning-rate"
    case weightedCrossEntropy = "weighted-cross-entropy"
    case validateEvery = "validate-every"
  }

  /// - Throws: `InputError` naming the first option with a value that makes no sense.
  public func validate() throws {
    func require(_ condition: Bool, _ sentence: @autoclosure () -> String) throws {
      if !condition { throw InputError(sentence()) }
    }
    try require(
      context % 2 == 1 && (1...15).contains(context),
      "--context is \(context); give an odd number of slices from 1 to 15, so that there is a middle one.")
    try require(
      iterations.count == 2 && iterations.allSatisfy { $0 >= 0 } && iterations.contains { $0 > 0 },
      "--iterations is \(iterations.map(String.init).joined(separator: ",")); give two numbers, of the plain and of the "
        + "dual stage, for example 4000,2000 (0 skips a stage).")
    try require(
      !dualBlocks.isEmpty || iterations[0] > 0,
      "--iterations is \(iterations.map(String.init).joined(separator: ",")) and there are no dual blocks, so no stage is "
        + "left; give the plain stage iterations.")
    try require(batchSize ?? 1 >= 1, "--batch-size is \(batchSize ?? 0); give at least 1 slice.")
    try require(
      learningRate > 0 && learningRate <= 1, "--learning-rate is \(learningRate); give a number above 0, up to 1.")
    try require((0...1).contains(weightDecay), "--weight-decay is \(weightDecay); give 0 (none) to 1, such as 0.01.")
    try require(
      (0...1).contains(foregroundShare), "--foreground-share is \(foregroundShare); give 0 to 1, such as 0.5.")
    try require(
      (0..<1).contains(averaging), "--averaging is \(averaging); give 0 (none) to below 1, such as 0.99.")
    try require(
      !weightedCrossEntropy || loss == .published,
      "--weighted-cross-entropy weights the published loss only, and --loss is \(loss.rawValue); give --loss published."
    )
    try require((1...4).contains(zoom), "--zoom is \(zoom); give the largest magnification, from 1 to 4.")
    try require(validateEvery ?? 1 >= 1, "--validate-every is \(validateEvery ?? 0); give at least 1 iteration.")
    try requireThreads(threads)
    for group in mergeLabels {
      try require(
        group.count >= 2 && !group.contains(0) && Set(group).count == group.count,
        "--merge-labels is \(group.map(String.init).joined(separator: ",")); give two or more different labels above 0."
      )
    }
  }
}

/// - Throws: `InputError` for a number of threads that the machine has no cores for; LibTorch would crawl.
public func requireThreads(_ threads: Int?) throws {
  let cores = ProcessInfo.processInfo.activeProcessorCount
  guard let threads, !(1...cores).contains(threads) else { return }
  throw InputError("--threads is \(threads); give 1 to \(cores), the cores of this machine.")
}

extension TrainingConfiguration {
  /// Reads a YAML file whose keys are option names; what it leaves out keeps its default.
  ///
  /// - Parameter recipe: what the left-out values come from, whatever the file says.
  /// - Throws: `InputError` naming the file and the key that is unknown or has a value of the wrong shape.
  public init(yaml url: URL, recipe: TrainingRecipe? = nil) throws {
    guard let text = try? String(contentsOf: url, encoding: .utf8) else {
      throw InputError("\(url.path): cannot be read as text; give a YAML file of options.")
    }
    try self.init(yaml: text, file: url.path, recipe: recipe)
  }

  init(yaml text: String, file: String, recipe: TrainingRecipe? = nil) throws {
    let given: Node?
    do {
      given = try Yams.compose(yaml: text)
    } catch {
      throw InputError("\(file): is not YAML (\(Self.oneLine(error))).")
    }
    let recipe = recipe ?? given?.mapping?["recipe"]?.string.flatMap(TrainingRecipe.init) ?? .standard
    var values = try Yams.compose(yaml: TrainingConfiguration(recipe).yaml())!
    if let given, given.null == nil {
      guard let mapping = given.mapping else {
        throw InputError("\(file): holds no options; write one a line, for example `width: 16`.")
      }
      let known = CodingKeys.allCases.map(\.rawValue)
      for (key, value) in mapping {
        let name = key.string ?? ""
        guard known.contains(name) else {
          throw InputError(
            "\(file): the option \"\(name)\" is unknown; the nearest one is \"\(nearest(to: name, among: known))\".")
        }
        if name != CodingKeys.recipe.rawValue || TrainingRecipe(rawValue: value.string ?? "") == nil {
          values[name] = value
        }
      }
    }
    do {
      self = try YAMLDecoder().decode(Self.self, from: Yams.serialize(node: values))
    } catch let error as DecodingError {
      throw InputError("\(file): \(Self.describe(error)).")
    }
  }

  public func yaml() throws -> String {
    let encoder = YAMLEncoder()
    encoder.options.sortKeys = true
    return try encoder.encode(self)
  }

  private static func oneLine(_ error: any Error) -> String {
    "\(error)".split(whereSeparator: \.isNewline).first.map(String.init) ?? "\(error)"
  }

  private static func describe(_ error: DecodingError) -> String {
    switch error {
    case .typeMismatch(_, let context), .valueNotFound(_, let context), .dataCorrupted(let context),
      .keyNotFound(_, let context):
      let path = context.codingPath.first?.stringValue ?? "the file"
      let hint = CodingKeys(rawValue: path).map { "; a value looks like \(example(of: $0))" } ?? ""
      return "the option \"\(path)\" has a value of the wrong shape\(hint)"
    @unknown default: return "\(error)"
    }
  }
}

/// A value of an option as YAML, on one line.
private func example(of key: TrainingConfiguration.CodingKeys) -> String {
  switch key {
  case .data: return "../data"
  case .window: return "[-125, 275]"
  case .spacing: return "[0.6, 0.6]"
  case .size, .resampleSize: return "[384, 384]"
  case .mergeLabels: return "[[1, 2]]"
  case .dualBlocks: return "[inc, down1]"
  case .iterations: return "[4000, 2000]"
  case .batchSize, .validateEvery: return "8"
  case .threads, .fold: return "2"
  case .splits: return "splits_final.json"
  case .initial: return "../run"
  case .freezeExcept: return "[outc, up4]"
  case .augmentation: return "[rotation, scale]"
  default:
    let values = try? Yams.compose(yaml: TrainingConfiguration().yaml())
    return values.flatMap { $0[key.rawValue]?.string } ?? ""
  }
}

/// The candidate that takes the fewest edits to become `name` (Levenshtein).
func nearest(to name: String, among candidates: [String]) -> String {
  func distance(_ a: [Character], _ b: [Character]) -> Int {
    var row = Array(0...b.count)
    for (i, x) in a.enumerated() {
      var diagonal = row[0]
      row[0] = i + 1
      for (j, y) in b.enumerated() {
        (diagonal, row[j + 1]) = (row[j + 1], min(row[j] + 1, row[j + 1] + 1, diagonal + (x == y ? 0 : 1)))
      }
    }
    return row[b.count]
  }
  return candidates.min { distance(Array(name), Array($0)) < distance(Array(name), Array($1)) } ?? ""
}
