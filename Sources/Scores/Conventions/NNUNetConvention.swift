import Basics

/// nnU-Net's `compute_metrics` and `compute_metrics_on_folder`, the numbers of its `summary.json`.
struct NNUNetConvention: ConventionRules {
  let tool = "nnU-Net 2.8.1"
  let distanceUnit: DistanceUnit? = nil

  func columns(tolerancesMM: [Double]) -> [ConventionColumn] {
    [
      ConventionColumn(.dice, "Dice: 2 TP / (2 TP + FP + FN); both empty is NaN") { $0.dice },
      ConventionColumn(.iou, "IoU: TP / (TP + FP + FN); both empty is NaN") { $0.iou },
    ]
      + VoxelCount.allCases.map { count in
        ConventionColumn(.voxels(count), "\(count.title): \(count.definition)", isShown: count.isError) {
          Double(count.value($0))
        }
      }
  }

  let outcomes: [Outcome: String] = [
    .found: "prediction and reference have the class",
    .miss: "Dice and IoU are 0",
    .falseAlarm: "Dice and IoU are 0",
    .bothEmpty: "Dice and IoU are NaN and in no mean of a class; the counts of voxels are in all",
  ]

  let meansNote: String? =
    "Of a class: nanmean over cases; mean of the classes: foreground_mean, undefined where a class has no mean."

  func classMean(of cases: [[Double?]]) -> Statistic {
    let means = classMeans(of: cases)
    return Statistic(meanOf: means.contains(nil) ? [] : means.compactMap { $0 })
  }
}

/// The voxel counts that nnU-Net reports for a class. The raw value is nnU-Net's key in lower case.
public enum VoxelCount: String, CaseIterable, Sendable {
  case falsePositives = "fp"
  case truePositives = "tp"
  case falseNegatives = "fn"
  case trueNegatives = "tn"
  case predicted = "n_pred"
  case expected = "n_ref"

  /// nnU-Net's key.
  var title: String { rawValue.hasPrefix("n_") ? rawValue : rawValue.uppercased() }

  fileprivate var isError: Bool { self == .falsePositives || self == .falseNegatives }

  fileprivate var definition: String {
    switch self {
    case .falsePositives: "voxels that only the prediction has"
    case .truePositives: "voxels that both have"
    case .falseNegatives: "voxels that only the reference has"
    case .trueNegatives: "voxels that neither has"
    case .predicted: "voxels of the prediction"
    case .expected: "voxels of the reference"
    }
  }

  fileprivate func value(_ comparison: ClassComparison) -> Int {
    let region = comparison.region
    return switch self {
    case .falsePositives: region.predictionCount - region.commonCount
    case .truePositives: region.commonCount
    case .falseNegatives: region.referenceCount - region.commonCount
    case .trueNegatives: comparison.voxelCount - region.unionCount
    case .predicted: region.predictionCount
    case .expected: region.referenceCount
    }
  }
}
