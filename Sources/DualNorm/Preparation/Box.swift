import MedicalImaging

/// A box of a volume's voxels.
struct Box: Equatable, Sendable {
  let first, size: SIMD3<Int>

  /// The smallest box that holds every voxel that is not 0 in some image; the whole where all are 0.
  init(ofNonzeroVoxels images: [Image]) {
    let size = images[0].geometry.size
    var (low, high) = (size, SIMD3(repeating: -1))
    for image in images {
      image.voxels.withUnsafeBufferPointer { voxels in
        for z in 0..<size.z {
          for y in 0..<size.y {
            let row = (z * size.y + y) * size.x
            guard let left = (0..<size.x).first(where: { voxels[row + $0] != 0 }) else { continue }
            let right = (0..<size.x).last { voxels[row + $0] != 0 }!
            low = pointwiseMin(low, SIMD3(left, y, z))
            high = pointwiseMax(high, SIMD3(right, y, z))
          }
        }
      }
    }
    let isEmpty = high.x < 0
    first = isEmpty ? .zero : low
    self.size = isEmpty ? size : high &- low &+ 1
  }
}

extension Geometry {
  /// The grid of a box, whose voxels keep their place in the patient.
  func box(_ box: Box) -> Geometry {
    guard box.size != size else { return self }
    var result = self
    result.size = box.size
    result.originMM = positionMM(ofIndex: SIMD3<Double>(box.first))
    return result
  }
}

extension Volume {
  func cropped(to box: Box) -> Volume {
    guard box.size != geometry.size else { return self }
    var result: [Voxel] = []
    result.reserveCapacity(box.size.x * box.size.y * box.size.z)
    for z in box.first.z..<box.first.z + box.size.z {
      for y in box.first.y..<box.first.y + box.size.y {
        let row = (z * geometry.size.y + y) * geometry.size.x + box.first.x
        result += voxels[row..<row + box.size.x]
      }
    }
    return Volume(voxels: result, geometry: geometry.box(box))
  }

  /// Puts this volume into a larger one.
  ///
  /// - Parameters:
  ///   - first: the place of its first voxel.
  ///   - outside: the value of other voxels.
  func inserted(into whole: Geometry, at first: SIMD3<Int>, outside: Voxel) -> Volume {
    var result = Volume(repeating: outside, geometry: whole)
    let size = geometry.size
    for z in 0..<size.z {
      for y in 0..<size.y {
        let from = (z * size.y + y) * size.x
        let to = ((z + first.z) * whole.size.y + y + first.y) * whole.size.x + first.x
        result.voxels.replaceSubrange(to..<to + size.x, with: voxels[from..<from + size.x])
      }
    }
    return result
  }
}

extension [Bool] {
  /// Fills holes: regions of false that no path over faces joins to the border of the volume.
  func withHolesFilled(size: SIMD3<Int>) -> [Bool] {
    var isOutside = [Bool](repeating: false, count: count)
    var open: [Int] = []
    let strides = [1, size.x, size.x * size.y]
    func visit(_ index: Int) {
      guard !self[index], !isOutside[index] else { return }
      isOutside[index] = true
      open.append(index)
    }
    for z in 0..<size.z {
      for y in 0..<size.y {
        let row = z * strides[2] + y * strides[1]
        let isFace = z == 0 || z == size.z - 1 || y == 0 || y == size.y - 1
        for x in stride(from: 0, to: size.x, by: isFace ? 1 : Swift.max(size.x - 1, 1)) { visit(row + x) }
      }
    }
    while let index = open.popLast() {
      let place = SIMD3(index % size.x, index / size.x % size.y, index / strides[2])
      for axis in 0..<3 {
        if place[axis] > 0 { visit(index - strides[axis]) }
        if place[axis] < size[axis] - 1 { visit(index + strides[axis]) }
      }
    }
    return isOutside.map { !$0 }
  }
}
