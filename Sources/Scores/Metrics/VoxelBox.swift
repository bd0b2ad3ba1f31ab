import MedicalImaging

/// A box of voxels of a volume; both corners belong to it.
struct VoxelBox: Equatable {
  var first: SIMD3<Int>
  var last: SIMD3<Int>

  /// An empty box; the first voxel added becomes the whole box.
  init() {
    first = SIMD3(repeating: .max)
    last = SIMD3(repeating: -1)
  }

  /// The box of a whole grid.
  init(of geometry: Geometry) {
    first = [0, 0, 0]
    last = geometry.size &- 1
  }

  var size: SIMD3<Int> { last &- first &+ 1 }

  mutating func add(x: Int, y: Int, z: Int) {
    if x < first.x { first.x = x }
    if y < first.y { first.y = y }
    if z < first.z { first.z = z }
    if x > last.x { last.x = x }
    if y > last.y { last.y = y }
    if z > last.z { last.z = z }
  }

  /// The smallest box around the true voxels of both masks; nil if there are none.
  init?(ofTrueIn a: Mask, or b: Mask) {
    self.init()
    let size = a.geometry.size
    a.voxels.withUnsafeBufferPointer { a in
      b.voxels.withUnsafeBufferPointer { b in
        for z in 0..<size.z {
          for y in 0..<size.y {
            let row = (z * size.y + y) * size.x
            guard let left = (0..<size.x).first(where: { a[row + $0] || b[row + $0] }) else { continue }
            add(x: left, y: y, z: z)
            let right = (left..<size.x).last { a[row + $0] || b[row + $0] } ?? left
            add(x: right, y: y, z: z)
          }
        }
      }
    }
    if last.x < 0 { return nil }
  }
}

extension Volume {
  /// Crops to the box and maps each voxel with `transform`.
  ///
  /// The geometry keeps only the spacing, since measurements in the box are lengths, not positions.
  func cropped<Result>(to box: VoxelBox, _ transform: (Voxel) -> Result) -> Volume<Result> {
    let full = geometry.size
    var result: [Result] = []
    result.reserveCapacity(box.size.x * box.size.y * box.size.z)
    voxels.withUnsafeBufferPointer { voxels in
      for z in box.first.z...box.last.z {
        for y in box.first.y...box.last.y {
          let row = (z * full.y + y) * full.x
          for x in box.first.x...box.last.x { result.append(transform(voxels[row + x])) }
        }
      }
    }
    return Volume<Result>(voxels: result, geometry: Geometry(size: box.size, spacingMM: geometry.spacingMM))
  }

  func cropped(to box: VoxelBox) -> Volume { cropped(to: box) { $0 } }
}
