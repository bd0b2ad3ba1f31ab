import Basics
import Foundation

/// The parts of nnU-Net's `plans.json` that a prediction needs.
struct NNUNetPlans {
  /// The name of nnU-Net's data set.
  let dataset: String
  let reader: String
  let transposition: [Int]
  /// Statistics of the training's labelled voxels, by the number of the channel.
  let intensities: [String: Intensities]
  let configuration: Configuration

  struct Intensities: Decodable {
    let mean: Double
    let std: Double
    let low: Double
    let high: Double

    private enum CodingKeys: String, CodingKey {
      case mean, std
      case low = "percentile005"
      case high = "percentile995"
    }
  }

  /// A configuration with the keys of those that it inherits from. Names are nnU-Net's, in camel case.
  struct Configuration: Decodable {
    let preprocessorName: String
    let patchSize: [Int]
    let spacing: [Double]
    let normalizationSchemes: [String]
    let useMaskForNorm: [Bool]
    let resamplingFnData: String
    let resamplingFnDataKwargs: Resampling
    let resamplingFnProbabilities: String
    let resamplingFnProbabilitiesKwargs: Resampling
    let previousStage: String?
    let architecture: Architecture?

    // The network in plans before nnU-Net 2.4.
    let unetClassName: String?
    let unetBaseNumFeatures: Int?
    let unetMaxNumFeatures: Int?
    let convKernelSizes: [[Int]]?
    let poolOpKernelSizes: [[Int]]?
    let nConvPerStageEncoder: [Int]?
    let nConvPerStageDecoder: [Int]?
  }

  struct Resampling: Decodable, Equatable {
    let order: Int
    let orderZ: Int
    let forceSeparateZ: Bool?
  }

  struct Architecture: Decodable {
    let networkClassName: String
    let archKwargs: Arguments
  }

  struct Arguments: Decodable {
    let featuresPerStage: [Int]
    let kernelSizes: [[Int]]
    let strides: [[Int]]
    let nConvPerStage: [Int]?
    let nBlocksPerStage: [Int]?
    let nConvPerStageDecoder: [Int]
    let convBias: Bool
    let normOp: String
    let normOpKwargs: Norm
    let nonlin: String
    let nonlinKwargs: Activation?
  }

  struct Norm: Decodable {
    let eps: Double?
    let affine: Bool?
  }

  struct Activation: Decodable {
    let negativeSlope: Double?
  }

  /// Reads the configuration that a checkpoint names.
  ///
  /// - Throws: `Refusal` for a file of another structure.
  init(_ file: URL, configuration name: String) throws {
    let plans = try readJSONObject(file)
    guard let configurations = plans["configurations"] as? [String: Any] else {
      throw Refusal(
        .input, file.path, "has no configurations, as the plans of nnU-Net's first version",
        remedy: "give a model that nnU-Net 2 trained")
    }
    var merged: [String: Any] = [:]
    var next: String? = name
    var seen: Set<String> = []
    while let current = next {
      guard let values = configurations[current] as? [String: Any], seen.insert(current).inserted else {
        throw Refusal(
          .input, file.path, "has no configuration \(quoted(current))",
          detail: "it has \(listed(configurations.keys.sorted(), atMost: 8))", remedy: "restore the file")
      }
      merged.merge(values) { own, _ in own }
      next = values["inherits_from"] as? String
    }
    try Self.requireKnownKeys(merged, plans, file)
    let decoder = JSONDecoder()
    decoder.keyDecodingStrategy = .convertFromSnakeCase
    do {
      configuration = try decoder.decode(Configuration.self, from: JSONSerialization.data(withJSONObject: merged))
      let whole = try decoder.decode(Whole.self, from: JSONSerialization.data(withJSONObject: plans))
      (dataset, reader, transposition) = (whole.datasetName ?? "", whole.imageReaderWriter, whole.transposeForward)
      intensities = whole.foregroundIntensityPropertiesPerChannel
    } catch let error as DecodingError {
      throw Refusal(
        .input, file.path, "is no plan of nnU-Net 2 that this program knows (\(error.brief))",
        remedy: "give a model that nnU-Net 2.0 to 2.8 trained")
    }
    guard transposition.sorted() == [0, 1, 2] else {
      throw Refusal(
        .input, file.path, "transposes the axes by \(transposition), expected an order of 0, 1 and 2",
        remedy: "restore the file")
    }
  }

  /// Refuses keys that may change a prediction in a way that this program does not know.
  private static func requireKnownKeys(_ configuration: [String: Any], _ plans: [String: Any], _ file: URL) throws {
    func require(_ found: [String: Any]?, _ known: Set<String>, _ what: String) throws {
      let others = (found ?? [:]).filter { key, value in
        !known.contains(key) && !(value is NSNull) && (value as? Bool) != false
      }
      guard let key = others.keys.sorted().first else { return }
      throw Refusal(
        .input, file.path, "\(what) has \(quoted(key)), which this program does not know",
        remedy: "give a model of nnU-Net's own plans")
    }
    let network = configuration["architecture"] as? [String: Any]
    try require(network?["arch_kwargs"] as? [String: Any], knownArguments, "the network")
    for key in ["resampling_fn_data_kwargs", "resampling_fn_probabilities_kwargs"] {
      try require(configuration[key] as? [String: Any], ["order", "order_z", "force_separate_z"], key)
    }
    guard plans["label_manager"] as? String ?? "LabelManager" == "LabelManager" else {
      throw Refusal(
        .input, file.path, "has a label manager of its own", remedy: "give a model of nnU-Net's own plans")
    }
  }

  /// Dropout does nothing in a prediction, and deep supervision only adds outputs.
  private static let knownArguments: Set<String> = [
    "n_stages", "features_per_stage", "conv_op", "kernel_sizes", "strides", "n_conv_per_stage", "n_blocks_per_stage",
    "n_conv_per_stage_decoder", "conv_bias", "norm_op", "norm_op_kwargs", "dropout_op", "dropout_op_kwargs", "nonlin",
    "nonlin_kwargs", "deep_supervision",
  ]

  private struct Whole: Decodable {
    let datasetName: String?
    let imageReaderWriter: String
    let transposeForward: [Int]
    let foregroundIntensityPropertiesPerChannel: [String: Intensities]
  }
}

/// Reads a file that is one JSON object.
///
/// - Throws: `Refusal` for a missing file or another structure.
func readJSONObject(_ file: URL) throws -> [String: Any] {
  guard let data = contents(ofRegularFile: file) else {
    throw Refusal(
      .input, file.path, "there is no such file",
      remedy: "give the folder that nnU-Net's training wrote, with plans.json, dataset.json and fold_0")
  }
  guard let object = try? JSONSerialization.jsonObject(with: data) as? [String: Any] else {
    throw Refusal(.input, file.path, "is no JSON object", remedy: "restore the file")
  }
  return object
}
