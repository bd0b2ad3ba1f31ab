/// What a score measures. Its raw value is its name, with the unit, in CSV and JSON: `assd_mm`, `nsd_2mm`.
public enum Metric: Hashable, Sendable {
  case dice
  case assd
  case hd95
  case hausdorff
  /// Normalized surface distance (surface Dice) at a tolerance.
  case nsd(toleranceMM: Double)
  case predictionVolume
  case referenceVolume

  /// All metrics in the order of columns.
  public static func all(tolerancesMM: [Double]) -> [Metric] {
    [.dice, .assd, .hd95, .hausdorff] + tolerancesMM.map { .nsd(toleranceMM: $0) }
      + [.predictionVolume, .referenceVolume]
  }

  /// For people: `HD95 mm`.
  public var title: String {
    switch self {
    case .dice: "Dice"
    case .assd: "ASSD mm"
    case .hd95: "HD95 mm"
    case .hausdorff: "Hausdorff mm"
    case .nsd(let tolerance): "NSD \(shortest(tolerance)) mm"
    case .predictionVolume: "predicted mm³"
    case .referenceVolume: "reference mm³"
    }
  }

  /// Digits after the point that a table for people shows.
  var decimals: Int {
    switch self {
    case .dice, .nsd: 3
    case .assd, .hd95, .hausdorff: 2
    case .predictionVolume, .referenceVolume: 0
    }
  }

  /// The convention in one sentence; docs/conventions.md has the formulas.
  public var definition: String {
    switch self {
    case .dice: "2 |P and R| / (|P| + |R|), voxels; a miss or a false alarm is 0, both empty is undefined"
    case .assd: "mean of the distances from both surfaces to the other one, pooled, mm; undefined unless found"
    case .hd95:
      "the larger of the two directed 95th percentiles of distances, linear interpolation, mm; undefined unless found"
    case .hausdorff: "the largest distance of both directions, mm; undefined unless found"
    case .nsd(let tolerance):
      "share of both surfaces' voxels at most \(shortest(tolerance)) mm from the other surface; a miss or a false alarm is 0, both empty is undefined"
    case .predictionVolume: "voxels of the prediction times the volume of a voxel, mm³"
    case .referenceVolume: "voxels of the reference times the volume of a voxel, mm³"
    }
  }
}

extension Metric: RawRepresentable, Codable, CodingKeyRepresentable {
  public var rawValue: String {
    switch self {
    case .dice: "dice"
    case .assd: "assd_mm"
    case .hd95: "hd95_mm"
    case .hausdorff: "hausdorff_mm"
    case .nsd(let tolerance): "nsd_\(shortest(tolerance))mm"
    case .predictionVolume: "prediction_mm3"
    case .referenceVolume: "reference_mm3"
    }
  }

  public init?(rawValue: String) {
    if rawValue.hasPrefix("nsd_"), rawValue.hasSuffix("mm"), let tolerance = Double(rawValue.dropFirst(4).dropLast(2)) {
      self = .nsd(toleranceMM: tolerance)
    } else if let metric = Metric.all(tolerancesMM: []).first(where: { $0.rawValue == rawValue }) {
      self = metric
    } else {
      return nil
    }
  }
}

/// A number as people write it: 2, not 2.0; every digit otherwise.
func shortest(_ number: Double) -> String {
  let text = String(number)
  return text.hasSuffix(".0") ? String(text.dropLast(2)) : text
}
