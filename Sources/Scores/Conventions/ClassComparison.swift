import MedicalImaging

/// One class of a prediction and its reference: the input of every convention's metrics.
struct ClassComparison {
  /// The region as the convention sees it, which may have filled an empty prediction.
  let region: ClassRegion
  let voxelCount: Int
  let voxelMM3: Double
  /// nil if a mask is empty or the convention needs no distances; in voxels if the convention measures in voxels.
  let distances: SurfaceDistances?

  var outcome: Outcome { region.outcome }
  /// 2 |P ∩ R| / (|P| + |R|); nil if both are empty.
  var dice: Double? { region.dice }
  /// |P ∩ R| / |P ∪ R|; nil if both are empty.
  var iou: Double? { outcome == .bothEmpty ? nil : Double(region.commonCount) / Double(region.unionCount) }

  /// Compares two maps of file values, the prediction as the convention prepared it.
  init(
    _ region: ClassRegion, values: [LabelValue], prediction: LabelMap, reference: LabelMap, rules: any ConventionRules
  ) {
    let geometry = reference.geometry
    let fills = rules.fillsEmptyPredictions && region.predictionCount == 0
    let region = fills ? region.withEveryVoxelPredicted(in: geometry) : region
    self.region = region
    voxelCount = geometry.voxelCount
    voxelMM3 = geometry.spacingMM.x * geometry.spacingMM.y * geometry.spacingMM.z
    guard let unit = rules.distanceUnit, region.outcome == .found else {
      distances = nil
      return
    }
    let masks = [prediction, reference].enumerated().map { index, labels in
      let mask = labels.cropped(to: region.box) { values.contains($0) || (fills && index == 0) }
      return unit == .mm ? mask : Mask(voxels: mask.voxels, geometry: Geometry(size: mask.geometry.size))
    }
    distances = SurfaceDistances(prediction: masks[0], reference: masks[1], flatAxis: geometry.flatAxis)
  }
}

extension ClassRegion {
  var unionCount: Int { predictionCount + referenceCount - commonCount }

  fileprivate func withEveryVoxelPredicted(in geometry: Geometry) -> ClassRegion {
    var region = self
    region.predictionCount = geometry.voxelCount
    region.commonCount = referenceCount
    region.box = VoxelBox(of: geometry)
    return region
  }
}
