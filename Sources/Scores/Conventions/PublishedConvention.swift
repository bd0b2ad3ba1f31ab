import MedicalImaging

/// The evaluation published with DualNorm-UNet.
///
/// Only the largest connected component of each predicted class counts. A prediction without any becomes the whole
/// image. The surface distance runs one way, in voxels.
struct PublishedConvention: ConventionRules {
  let tool = "the published DualNorm-UNet evaluation"
  let distanceUnit: DistanceUnit? = .voxels
  let fillsEmptyPredictions = true

  func prepared(_ prediction: LabelMap, scheme: LabelScheme) -> LabelMap {
    let classOfValue = scheme.classOfValue.map { $0 ?? 0 }
    let classes = ClassMap(
      voxels: prediction.voxels.map { classOfValue[Int($0)] }, geometry: prediction.geometry)
    return scheme.fileValues(of: classes.keepingLargestComponents())
  }

  func columns(tolerancesMM: [Double]) -> [ConventionColumn] {
    [
      ConventionColumn(
        .dice, "2 |P and R| / (|P| + |R|), voxels, P the largest component, or all of the image where there is none"
      ) { $0.dice },
      ConventionColumn(
        .asdVoxels,
        "mean of the distances from that P's surface to the reference's, voxels; undefined without reference"
      ) { $0.distances?.averageFromPredictionMM },
    ]
  }

  let outcomes: [Outcome: String] = [
    .found: "prediction and reference have the class",
    .miss: "scored as if every voxel of the image were predicted, so Dice is above 0 and there is a distance",
    .falseAlarm: "Dice is 0; the distance is undefined and in no mean",
    .bothEmpty: "scored as if every voxel were predicted: Dice is 0 and counts; the distance is undefined and in no "
      + "mean",
  ]

  let meansNote: String? = "The paper reports the mean of the sites."
}
