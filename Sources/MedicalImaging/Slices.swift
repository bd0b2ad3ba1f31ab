extension Geometry {
  /// A grid of equal positions with the rows counted from the other end: the first becomes the last.
  public var rowsReversed: Geometry {
    var result = self
    result.originMM = positionMM(ofIndex: [0, Double(size.y - 1), 0])
    for row in 0..<3 { result.direction[3 * row + 1] = 0 - direction[3 * row + 1] }
    return result
  }

  /// The grid of every `step`th of these slices, the first included; they keep their place in the patient.
  public func slices(_ range: Range<Int>, step: Int = 1) -> Geometry {
    precondition(range.lowerBound >= 0 && range.upperBound <= size.z && !range.isEmpty, "slices \(range) of \(size.z)")
    precondition(step >= 1, "every \(step)th slice")
    var result = self
    result.size.z = (range.count + step - 1) / step
    result.spacingMM.z = spacingMM.z * Double(step)
    if range.lowerBound > 0 { result.originMM = positionMM(ofIndex: [0, 0, Double(range.lowerBound)]) }
    return result
  }
}

extension Volume {
  /// Reverses the rows (y) of each slice, geometry included: every voxel keeps its place in the patient.
  public func withRowsReversed() -> Volume {
    let (width, height) = (geometry.size.x, geometry.size.y)
    func reversed<Value>(_ values: [Value]) -> [Value] {
      var result: [Value] = []
      result.reserveCapacity(values.count)
      for z in 0..<geometry.size.z {
        for y in (0..<height).reversed() {
          let row = (z * height + y) * width
          result.append(contentsOf: values[row..<row + width])
        }
      }
      return result
    }
    return Volume(voxels: reversed(voxels), geometry: geometry.rowsReversed, noData: noData.map(reversed))
  }

  /// Takes every `step`th of these slices (z), the first included, at their place in the patient.
  public func slices(_ range: Range<Int>, step: Int = 1) -> Volume {
    let grid = geometry.slices(range, step: step)
    if range == 0..<geometry.size.z, step == 1 { return self }
    func kept<Value>(_ values: [Value]) -> [Value] {
      var result: [Value] = []
      result.reserveCapacity(grid.voxelCount)
      for z in stride(from: range.lowerBound, to: range.upperBound, by: step) {
        result.append(contentsOf: values[z * geometry.sliceCount..<(z + 1) * geometry.sliceCount])
      }
      return result
    }
    return Volume(voxels: kept(voxels), geometry: grid, noData: noData.map(kept))
  }
}
