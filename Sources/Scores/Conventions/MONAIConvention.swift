import Basics

/// MONAI's cumulative metrics with `include_background=False` and the file's spacing.
///
/// The metrics are `DiceMetric` and the surface metrics of `HausdorffDistanceMetric`, `SurfaceDistanceMetric` and
/// `SurfaceDiceMetric`. MONAI's NaN is undefined here. MONAI computes in float32; values are rounded to float32 where
/// a comparison depends on it.
struct MONAIConvention: ConventionRules {
  let tool = "MONAI 1.6.1"
  let distanceUnit: DistanceUnit? = .mm

  func columns(tolerancesMM: [Double]) -> [ConventionColumn] {
    dice + surfaces + tolerancesMM.map(nsd)
  }

  private let dice = [
    ConventionColumn(.dice, "DiceMetric(): 2 |P and R| / (|P| + |R|), voxels; NaN where the reference is empty") {
      $0.region.referenceCount == 0 ? nil : $0.dice
    },
    ConventionColumn(
      .diceEmptyIsOne, "DiceMetric(ignore_empty=False): the same, but a false alarm is 0 and both empty is 1"
    ) { $0.dice ?? 1 },
  ]

  private let surfaces = [
    ConventionColumn(
      .assd, "SurfaceDistanceMetric(symmetric=True): mean of both directions, pooled; infinite unless found"
    ) { orInfinite($0) { $0.averageSymmetricMM } },
    ConventionColumn(
      .asd, "SurfaceDistanceMetric(): mean from the prediction's surface; infinite unless found", isShown: false
    ) { orInfinite($0) { $0.averageFromPredictionMM } },
    // torch.quantile interpolates between two infinities, which gives NaN.
    ConventionColumn(
      .hd95,
      "HausdorffDistanceMetric(percentile=95): the larger of the two directed 95th percentiles; NaN unless found"
    ) { $0.distances?.hausdorffMM(percentile: 95) },
    ConventionColumn(
      .hausdorff, "HausdorffDistanceMetric(): the largest distance; infinite unless found", isShown: false
    ) { orInfinite($0) { $0.hausdorffMM() } },
  ]

  private func nsd(toleranceMM: Double) -> ConventionColumn {
    ConventionColumn(
      .nsd(toleranceMM: toleranceMM),
      "SurfaceDiceMetric([\(shortest(toleranceMM))]): share of both surfaces' voxels within the tolerance; a miss or a false alarm is 0, both empty is NaN"
    ) { comparison in
      guard let distances = comparison.distances else { return comparison.outcome == .bothEmpty ? nil : 0 }
      let pooled = distances.predictionToReferenceMM + distances.referenceToPredictionMM
      return Double(pooled.count { Float($0) <= Float(toleranceMM) }) / Double(pooled.count)
    }
  }

  let outcomes: [Outcome: String] = [
    .found: "prediction and reference have the class",
    .miss: "Dice and NSD are 0; HD95 is NaN and in no mean; ASSD, ASD and Hausdorff are infinite, and so are their "
      + "means",
    .falseAlarm: "Dice is NaN and in no mean, or 0 with ignore_empty=False; NSD is 0; HD95 is NaN and in no mean; "
      + "ASSD, ASD and Hausdorff are infinite, and so are their means",
    .bothEmpty: "all are NaN and in no mean, but Dice with ignore_empty=False is 1",
  ]

  let meansNote: String? =
    "Of a class: MONAI's reduction mean_batch; mean of the classes: its default reduction, mean, over classes within a "
    + "case, then over cases. A mean of no values is 0."

  func mean(of values: [Double?]) -> Statistic { orZero(Statistic(values.compactMap { $0 })) }

  /// The mean over cases of each case's mean over classes; a case without any value is left out.
  func classMean(of cases: [[Double?]]) -> Statistic {
    orZero(Statistic(meanOf: cases.compactMap { Statistic($0.compactMap { $0 }).mean }))
  }

  private func orZero(_ statistic: Statistic) -> Statistic {
    statistic.count > 0 ? statistic : Statistic(count: 0, mean: 0, standardDeviation: nil)
  }
}

/// A surface distance as MONAI has it: infinite if one mask is empty, none if both are.
private func orInfinite(_ comparison: ClassComparison, _ value: (SurfaceDistances) -> Double) -> Double? {
  comparison.distances.map(value) ?? (comparison.outcome == .bothEmpty ? nil : .infinity)
}
