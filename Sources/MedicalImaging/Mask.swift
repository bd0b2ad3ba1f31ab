import CITK

/// The voxels of a structure.
public typealias Mask = Volume<Bool>

extension Volume where Voxel == Bool {
  /// The voxels with one of their six neighbours outside the mask; outside the image counts as outside.
  ///
  /// - Parameter inPlane: whether only the four neighbours in the slice count. This gives the contours of a picture;
  ///   otherwise all its pixels would be surface.
  public func surface(inPlane: Bool = false) -> Mask {
    let (width, height, depth) = (geometry.size.x, geometry.size.y, geometry.size.z)
    let sliceCount = width * height
    var surface = Mask(repeating: false, geometry: geometry)
    voxels.withUnsafeBufferPointer { inside in
      surface.voxels.withUnsafeMutableBufferPointer { border in
        for z in 0..<depth {
          for y in 0..<height {
            let row = z * sliceCount + y * width
            let atEdge = !inPlane && (z == 0 || z == depth - 1) || y == 0 || y == height - 1
            for x in 0..<width where inside[row + x] {
              let i = row + x
              let interior =
                !atEdge && x > 0 && x < width - 1 && inside[i - 1] && inside[i + 1] && inside[i - width]
                && inside[i + width] && (inPlane || inside[i - sliceCount] && inside[i + sliceCount])
              border[i] = !interior
            }
          }
        }
      }
    }
    return surface
  }

  /// The Euclidean distance in mm from each voxel's centre to the nearest true voxel's centre; true voxels are 0.
  ///
  /// Exact, in double precision, linear in the voxels and multi-threaded (Maurer et al., PAMI 2003, by ITK).
  /// - Precondition: at least one voxel is true, since there is no distance to an empty mask.
  public func distanceMap() -> Volume<Double> {
    precondition(voxels.contains(true), "an empty mask has no distance map")
    var distance = Volume<Double>(repeating: 0, geometry: geometry)
    guard voxels.contains(false) else { return distance }  // ITK measures from a border, and there is none
    voxels.withUnsafeBytes { mask in
      distance.voxels.withUnsafeMutableBufferPointer { output in
        expected(
          citk_squared_distance(
            mask.bindMemory(to: UInt8.self).baseAddress!, geometry.sizeArray, geometry.frame, output.baseAddress!))
        for i in output.indices { output[i] = output[i].squareRoot() }
      }
    }
    return distance
  }
}
