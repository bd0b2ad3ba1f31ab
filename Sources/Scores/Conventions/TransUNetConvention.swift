/// `calculate_metric_percase` of TransUNet's evaluation: MedPy's `dc` and `hd95` without a spacing, so in voxels.
struct TransUNetConvention: ConventionRules {
  let tool = "TransUNet's calculate_metric_percase"
  let distanceUnit: DistanceUnit? = .voxels

  func columns(tolerancesMM: [Double]) -> [ConventionColumn] {
    [
      ConventionColumn(
        .dice, "2 |P and R| / (|P| + |R|), voxels; a miss is 0, a false alarm is 1, both empty is 0"
      ) { comparison in
        switch comparison.outcome {
        case .found: comparison.dice
        case .falseAlarm: 1
        case .miss, .bothEmpty: 0
        }
      },
      ConventionColumn(
        .hd95Voxels, "95th percentile of the distances of both directions, pooled, voxels; 0 unless found"
      ) { $0.distances?.pooledPercentileMM(95) ?? 0 },
    ]
  }

  let outcomes: [Outcome: String] = [
    .found: "prediction and reference have the class",
    .miss: "Dice 0 and HD95 0, as if its surface were perfect; both count in the means",
    .falseAlarm: "Dice 1 and HD95 0, as if it were perfect; both count in the means",
    .bothEmpty: "Dice 0 and HD95 0; both count in the means",
  ]
}
