/// How the slices of a volume lie in the network's, around the same centre: padded, cropped (in training only), or each in
/// one direction.
struct PreparationPlacement: Equatable, Sendable {
  let volume: ImageSize
  let network: ImageSize

  /// The network's row and column of the volume's first pixel; negative where it is cropped.
  private var top: Int { (network.height - volume.height) >> 1 }
  private var left: Int { (network.width - volume.width) >> 1 }

  /// D×H×W of the volume to D×H×W of the network; where there is no voxel, `padding`, or if nil the nearest one.
  func placed<Voxel>(_ voxels: [Voxel], padding: Voxel?) -> [Voxel] {
    if volume == network { return voxels }
    let depth = voxels.count / (volume.height * volume.width)
    var result: [Voxel] = []
    result.reserveCapacity(depth * network.height * network.width)
    for z in 0..<depth {
      for y in (0..<network.height).map({ $0 - top }) {
        if let padding, !(0..<volume.height).contains(y) {
          result.append(contentsOf: repeatElement(padding, count: network.width))
        } else {
          let row = (z * volume.height + min(max(y, 0), volume.height - 1)) * volume.width
          appendRow(voxels[row..<row + volume.width], padding: padding, to: &result)
        }
      }
    }
    return result
  }

  private func appendRow<Voxel>(_ row: ArraySlice<Voxel>, padding: Voxel?, to result: inout [Voxel]) {
    let before = max(left, 0)
    let kept = row.dropFirst(max(-left, 0)).prefix(network.width - before)
    result.append(contentsOf: repeatElement(padding ?? row[row.startIndex], count: before))
    result.append(contentsOf: kept)
    result.append(
      contentsOf: repeatElement(padding ?? row[row.endIndex - 1], count: network.width - before - kept.count))
  }

  /// The way back, of a volume that was not cropped.
  func restored<Voxel>(_ values: [Voxel]) -> [Voxel] {
    precondition(network.height >= volume.height && network.width >= volume.width, "a window is not the whole")
    if volume == network { return values }
    let depth = values.count / (network.height * network.width)
    var result: [Voxel] = []
    result.reserveCapacity(depth * volume.height * volume.width)
    for z in 0..<depth {
      for y in 0..<volume.height {
        let start = (z * network.height + y + top) * network.width + left
        result.append(contentsOf: values[start..<start + volume.width])
      }
    }
    return result
  }
}
