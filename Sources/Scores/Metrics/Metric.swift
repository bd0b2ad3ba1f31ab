import Basics

/// A score's metric; the `Convention` defines its formula.
///
/// The raw value is its name with the unit in CSV and JSON: `assd_mm`, `nsd_2mm`.
public enum Metric: Hashable, Sendable {
  case dice
  /// Dice, with 1 where both masks are empty.
  case diceEmptyIsOne
  /// Intersection over union, the Jaccard index.
  case iou
  /// Average surface distance over both directions.
  case assd
  /// Average surface distance from the prediction to the reference.
  case asd
  case asdVoxels
  case hd95
  case hd95Voxels
  case hausdorff
  /// Normalized surface distance (surface Dice) at a tolerance.
  case nsd(toleranceMM: Double)
  case predictionVolume
  case referenceVolume
  case voxels(VoxelCount)

  /// The title in printed tables: `HD95 mm`.
  package func title(in unit: LengthUnit) -> String {
    let length = unit.rawValue
    return switch self {
    case .dice: "Dice"
    case .diceEmptyIsOne: "Dice (empty 1)"
    case .iou: "IoU"
    case .assd: "ASSD \(length)"
    case .asd: "ASD \(length)"
    case .asdVoxels: "ASD voxels"
    case .hd95: "HD95 \(length)"
    case .hd95Voxels: "HD95 voxels"
    case .hausdorff: "Hausdorff \(length)"
    case .nsd(let tolerance): "NSD \(shortest(tolerance)) \(length)"
    case .predictionVolume: "predicted \(unit.size)"
    case .referenceVolume: "reference \(unit.size)"
    case .voxels(let count): count.title
    }
  }

  /// Decimals in printed tables.
  package var decimals: Int {
    switch self {
    case .dice, .diceEmptyIsOne, .iou, .nsd: 3
    case .assd, .asd, .asdVoxels, .hd95, .hd95Voxels, .hausdorff: 2
    case .predictionVolume, .referenceVolume, .voxels: 0
    }
  }
}

extension Metric: RawRepresentable, Codable, CodingKeyRepresentable {
  public var rawValue: String {
    switch self {
    case .dice: "dice"
    case .diceEmptyIsOne: "dice_empty_1"
    case .iou: "iou"
    case .assd: "assd_mm"
    case .asd: "asd_mm"
    case .asdVoxels: "asd_voxels"
    case .hd95: "hd95_mm"
    case .hd95Voxels: "hd95_voxels"
    case .hausdorff: "hausdorff_mm"
    case .nsd(let tolerance): "nsd_\(shortest(tolerance))mm"
    case .predictionVolume: "prediction_mm3"
    case .referenceVolume: "reference_mm3"
    case .voxels(let count): count.rawValue
    }
  }

  public init?(rawValue: String) {
    if rawValue.hasPrefix("nsd_"), rawValue.hasSuffix("mm"), let tolerance = Double(rawValue.dropFirst(4).dropLast(2)) {
      self = .nsd(toleranceMM: tolerance)
    } else if let metric = Metric.withoutTolerance.first(where: { $0.rawValue == rawValue }) {
      self = metric
    } else {
      return nil
    }
  }

  private static let withoutTolerance: [Metric] =
    [
      .dice, .diceEmptyIsOne, .iou, .assd, .asd, .asdVoxels, .hd95, .hd95Voxels, .hausdorff, .predictionVolume,
      .referenceVolume,
    ] + VoxelCount.allCases.map(Metric.voxels)
}
