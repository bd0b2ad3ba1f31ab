import Basics

/// `medpy.metric.binary` with the file's spacing as `voxelspacing`, the prediction as `result`.
///
/// MedPy refuses to measure distances of an empty mask (RuntimeError); they are undefined here. It takes no means.
struct MedPyConvention: ConventionRules {
  /// Tells whether to follow version 0.4.0, whose `assd` averages the two directed means and whose Dice of empty masks is 0.
  let isVersion04: Bool

  var tool: String { isVersion04 ? "MedPy 0.4.0" : "MedPy 0.5.2" }
  let distanceUnit: DistanceUnit? = .mm

  func columns(tolerancesMM: [Double]) -> [ConventionColumn] {
    [dice, iou] + distances + [isVersion04 ? assd04 : assd]
  }

  private var dice: ConventionColumn {
    let ofEmpty: Double = isVersion04 ? 0 : 1
    return ConventionColumn(.dice, "dc: 2 |P and R| / (|P| + |R|), voxels; both empty is \(shortest(ofEmpty))") {
      $0.dice ?? ofEmpty
    }
  }

  private var iou: ConventionColumn {
    let ofEmpty: Double? = isVersion04 ? nil : 1
    return ConventionColumn(
      .iou, "jc: |P and R| / |P or R|, voxels; both empty is \(ofEmpty.map(shortest) ?? "an error, undefined")"
    ) { $0.iou ?? ofEmpty }
  }

  private var distances: [ConventionColumn] {
    [
      ConventionColumn(.hausdorff, "hd: the largest distance of both directions; undefined unless found") {
        $0.distances?.hausdorffMM()
      },
      ConventionColumn(
        .hd95, "hd95: 95th percentile of the distances of both directions, pooled; undefined unless found"
      ) { $0.distances?.pooledPercentileMM(95) },
      ConventionColumn(
        .asd, "asd: mean of the distances from the prediction's surface to the reference's; undefined unless found"
      ) { $0.distances?.averageFromPredictionMM },
    ]
  }

  private let assd = ConventionColumn(
    .assd, "assd: mean of the distances of both directions, pooled; undefined unless found"
  ) { $0.distances?.averageSymmetricMM }

  private let assd04 = ConventionColumn(
    .assd, "assd: mean of the two directed means; undefined unless found"
  ) { comparison in
    comparison.distances.map { ($0.averageFromPredictionMM + $0.averageFromReferenceMM) / 2 }
  }

  var outcomes: [Outcome: String] {
    let distances = "MedPy raises an error for the distances, which are undefined here and in no mean"
    return [
      .found: "prediction and reference have the class",
      .miss: "dc and jc are 0; \(distances)",
      .falseAlarm: "dc and jc are 0; \(distances)",
      .bothEmpty: (isVersion04 ? "dc is 0 and counts; MedPy raises an error for jc too" : "dc and jc are 1 and count")
        + "; \(distances)",
    ]
  }

  let meansNote: String? = "MedPy takes no means; these are over the values that it gives."
}
