/// DualNorm's own convention: distances in mm, undefined values left undefined, every miss and false alarm counted.
struct DualNormConvention: ConventionRules {
  let tool = "DualNorm"
  let distanceUnit: DistanceUnit? = .mm

  func columns(tolerancesMM: [Double]) -> [ConventionColumn] {
    [
      ConventionColumn(
        .dice, "2 |P and R| / (|P| + |R|), voxels; a miss or a false alarm is 0, both empty is undefined"
      ) { $0.dice },
      ConventionColumn(
        .assd, "mean of the distances from both surfaces to the other one, pooled; undefined unless found"
      ) { $0.distances?.averageSymmetricMM },
      ConventionColumn(
        .hd95,
        "the larger of the two directed 95th percentiles of distances, linear interpolation; undefined unless found"
      ) { $0.distances?.hausdorffMM(percentile: 95) },
      ConventionColumn(
        .hausdorff, "the largest distance of both directions; undefined unless found", isShown: false
      ) { $0.distances?.hausdorffMM() },
    ] + tolerancesMM.map(nsd) + [
      ConventionColumn(
        .predictionVolume, "voxels of the prediction times the size of a voxel", isShown: false
      ) { Double($0.region.predictionCount) * $0.voxelMM3 },
      ConventionColumn(
        .referenceVolume, "voxels of the reference times the size of a voxel", isShown: false
      ) { Double($0.region.referenceCount) * $0.voxelMM3 },
    ]
  }

  private func nsd(toleranceMM: Double) -> ConventionColumn {
    ConventionColumn(
      .nsd(toleranceMM: toleranceMM),
      "share of both surfaces' voxels at most the tolerance from the other surface; a miss or a false alarm is 0, both empty is undefined"
    ) { comparison in
      // A structure in only one of the two is wrong in every voxel, at every tolerance.
      comparison.distances?.nsd(toleranceMM: toleranceMM) ?? (comparison.outcome == .bothEmpty ? nil : 0)
    }
  }

  let outcomes: [Outcome: String] = [
    .found: "prediction and reference have the class",
    .miss: "only the reference has it: Dice and NSD 0, distances undefined",
    .falseAlarm: "only the prediction has it: Dice and NSD 0, distances undefined",
    .bothEmpty: "neither has it: in no mean",
  ]
}
