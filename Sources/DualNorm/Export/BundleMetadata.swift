import Basics
import Scores
import Torch

/// The contents of `metadata.json` by MONAI's schema of 25 July 2024.
struct BundleMetadata: Encodable {
  private let schema =
    "https://github.com/Project-MONAI/MONAI-extra-test-data/releases/download/0.8.1/meta_schema_20240725.json"
  private let version = "1.0.0"
  private let changelog: [String: String]
  // The versions of Tools/environments/bench.txt, whose MONAI accepts this.
  private let monaiVersion = "1.6.1"
  private let pytorchVersion = LibTorch.version
  private let numpyVersion = "2.4.6"
  private let requiredPackages: [String: String] = [:]
  private let task, description: String
  // A run does not know them, and the schema requires them.
  private let authors = "not recorded"
  private let copyright = "not recorded"
  private let intendedUse = "Segmentation in research, not diagnosis."
  private let dataType: String
  private let format: NetworkFormat
  /// The whole description, since a bundle must tell how to make the network of its weights.
  private let model: ModelDescription

  private enum CodingKeys: String, CodingKey {
    case schema, version, changelog, task, description, authors, copyright
    case monaiVersion = "monai_version"
    case pytorchVersion = "pytorch_version"
    case numpyVersion = "numpy_version"
    case requiredPackages = "required_packages_version"
    case intendedUse = "intended_use"
    case dataType = "data_type"
    case format = "network_data_format"
    case model = "dualnorm_model"
  }

  init(_ model: ModelDescription, _ signature: GraphSignature) {
    changelog = [version: "Exported by dualnorm \(programVersion)."]
    let seen = model.preparation.isOfVolumes ? "volumes" : "slices"
    task = "Segmentation of \(listed(model.labels.names)) in \(seen) of \(listed(model.modalities))"
    description = "Network: \(model.network.summary). Preparation of its input: \(model.preparationText)."
    dataType = model.training?.arePictures == true ? "pictures" : "volumes"
    format = NetworkFormat(model, signature)
    self.model = model
  }
}

/// The inputs and outputs of the network.
private struct NetworkFormat: Encodable {
  let inputs, outputs: [String: TensorFormat]

  init(_ model: ModelDescription, _ signature: GraphSignature) {
    let shape = signature.spatialShape(of: model.preparation)
    func format(
      _ tensor: GraphSignature.Tensor, _ kind: String, _ range: [Double], modality: String? = nil
    ) -> TensorFormat {
      TensorFormat(
        format: kind, modality: modality, channelCount: tensor.hasChannels ? tensor.meanings.count : 1,
        spatialShape: shape, dtype: tensor.hasChannels ? "float32" : "uint8", valueRange: range,
        isPatch: model.preparation.networkSize != nil,
        channels: Dictionary(uniqueKeysWithValues: tensor.meanings.enumerated().map { ("\($0)", $1) }))
    }
    inputs = [
      signature.input.name: format(
        signature.input, "magnitude", model.preparation.valueRange, modality: model.modalities.joined(separator: ", "))
    ]
    outputs = Dictionary(
      uniqueKeysWithValues: signature.outputs.map { tensor in
        let (kind, last) = tensor.hasChannels ? ("labels", 1) : ("segmentation", tensor.meanings.count - 1)
        return (tensor.name, format(tensor, kind, [0, Double(last)]))
      })
  }
}

private struct TensorFormat: Encodable {
  let type = "image"
  let format: String
  let modality: String?
  let channelCount: Int
  let spatialShape: [Side]
  let dtype: String
  let valueRange: [Double]
  let isPatch: Bool
  let channels: [String: String]

  private enum CodingKeys: String, CodingKey {
    case type, format, modality, dtype
    case channelCount = "num_channels"
    case spatialShape = "spatial_shape"
    case valueRange = "value_range"
    case isPatch = "is_patch_data"
    case channels = "channel_def"
  }
}

/// The size along an axis: a number, or an expression of Python.
private enum Side: Encodable {
  case exactly(Int)
  case expression(String)

  func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    switch self {
    case .exactly(let size): try container.encode(size)
    case .expression(let text): try container.encode(text)
    }
  }
}

extension GraphSignature {
  /// The sizes that the network takes. MONAI knows two variables, so volumes have the size of the training windows.
  fileprivate func spatialShape(of preparation: PreparationPlan) -> [Side] {
    let fixed = size ?? (multiples.count == 3 ? preparation.networkSize : nil)
    return fixed?.sizes.map(Side.exactly) ?? zip(multiples, ["n", "p"]).map { .expression("\($0)*\($1)") }
  }
}

extension PreparationPlan {
  /// The least and the largest intensity after whitening; empty if each volume has its own.
  fileprivate var valueRange: [Double] {
    guard let window, let moments else { return [] }
    return window.values.map { ($0 - moments.mean) / moments.deviation }
  }
}
