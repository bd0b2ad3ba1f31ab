extension Volume {
  /// The same voxels, each in its place in the patient, in the order of `grid`, where both differ by nothing but the
  /// directions in which axes run; nil where they differ by more.
  ///
  /// Converters of DICOM reverse rows or slices: dcm2niix does, ITK does not.
  public func reordered(onto grid: Geometry) -> Volume? {
    for axes in 0..<8 {
      let reversed = (0..<3).map { axes >> $0 & 1 == 1 }
      guard geometry.reversed(reversed).mismatch(with: grid) == nil else { continue }
      return axes == 0 ? self : reversing(reversed)
    }
    return nil
  }

  private func reversing(_ axes: [Bool]) -> Volume {
    let size = geometry.size
    func order(_ axis: Int) -> [Int] { axes[axis] ? Array((0..<size[axis]).reversed()) : Array(0..<size[axis]) }
    let columns = order(0)
    let rows = order(1)
    var reordered: [Voxel] = []
    reordered.reserveCapacity(voxels.count)
    for z in order(2) {
      for y in rows {
        let row = (z * size.y + y) * size.x
        for x in columns { reordered.append(voxels[row + x]) }
      }
    }
    return Volume(voxels: reordered, geometry: geometry.reversed(axes))
  }
}

extension Geometry {
  /// The same places with some axes running the other way.
  fileprivate func reversed(_ axes: [Bool]) -> Geometry {
    var result = self
    for axis in 0..<3 where axes[axis] {
      result.originMM += self.axis(axis) * (spacingMM[axis] * Double(size[axis] - 1))
      for row in 0..<3 { result.direction[3 * row + axis] = 0 - direction[3 * row + axis] }
    }
    return result
  }
}
