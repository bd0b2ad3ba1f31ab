import Basics
import Scores
import Torch

extension ModelDescription {
  private enum CodingKeys: String, CodingKey {
    case format, network, preparation, labels, modalities, sites, precision, warnings, origin
    case largestComponents = "largest_component"
    case training = "training_data"
    case mirrorAxes = "mirror_axes"
  }

  /// The lowest format whose readers know every feature of this model.
  private var format: Int {
    let isNew = ![.residualUNet, .nestedUNet].contains(network.architecture)
    if isNew || preparation.nnUNet != nil { return 7 }
    let values = labels.groups.joined() + labels.excluded
    if preparation.whitening == .ct || values.contains(where: { $0 > UInt8.max }) { return 6 }
    if network.levels != .slices { return 5 }
    if network.architecture != .residualUNet { return 4 }
    if largestComponentNames().count < labels.groups.count || !preparation.padsSlices { return 3 }
    let needsSecond =
      network.norm == .dsbn || (network.dual?.maskSource ?? .prediction) != .prediction
      || (network.dual?.localStatistics ?? .predicted) != .predicted || network.deepSupervision
      || preparation.whitening != .volume || preparation.orientation != nil
      || !labels.excluded.isEmpty
    return needsSecond ? 2 : 1
  }

  /// - Throws: `DecodingError` for another structure. `Refusal` for a later format or values that no model can have.
  package init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: CodingKeys.self)
    let format = try container.decode(Int.self, forKey: .format)
    guard format <= Self.currentFormat else {
      throw Refusal(
        .input, "is of format \(format), and this program reads up to \(Self.currentFormat)",
        remedy: "use a newer dualnorm")
    }
    self.init(
      network: try container.decode(NetworkPlan.self, forKey: .network),
      preparation: try container.decode(PreparationPlan.self, forKey: .preparation),
      labels: try container.decode(LabelScheme.self, forKey: .labels),
      modalities: try container.decode([String].self, forKey: .modalities),
      sites: try container.decode([String].self, forKey: .sites),
      precision: try container.decodeIfPresent(Precision.self, forKey: .precision) ?? .float32,
      largestComponents: try container.decodeIfPresent(LargestComponents.self, forKey: .largestComponents),
      training: try container.decodeIfPresent(TrainingProfile.self, forKey: .training),
      mirrorAxes: try container.decodeIfPresent([MirrorAxis].self, forKey: .mirrorAxes))
    warnings = try container.decodeIfPresent([String].self, forKey: .warnings) ?? []
    origin = try container.decodeIfPresent(String.self, forKey: .origin)
    preparation.multiples = network.levels.multiples
    if preparation.nnUNet != nil { try preparation.validate() }
  }

  package func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: CodingKeys.self)
    try container.encode(format, forKey: .format)
    try container.encode(network, forKey: .network)
    try container.encode(preparation, forKey: .preparation)
    try container.encode(labels, forKey: .labels)
    try container.encode(modalities, forKey: .modalities)
    try container.encode(sites, forKey: .sites)
    if !warnings.isEmpty { try container.encode(warnings, forKey: .warnings) }
    if precision != .float32 { try container.encode(precision, forKey: .precision) }
    try container.encodeIfPresent(largestComponents, forKey: .largestComponents)
    try container.encodeIfPresent(training, forKey: .training)
    try container.encodeIfPresent(mirrorAxes, forKey: .mirrorAxes)
    try container.encodeIfPresent(origin, forKey: .origin)
  }
}
