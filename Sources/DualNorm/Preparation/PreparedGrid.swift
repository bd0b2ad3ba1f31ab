import MedicalImaging

/// Where a prepared volume lies in its files, and the way back; without the intensities, which can go before the masks.
package struct PreparedGrid: Equatable, Sendable {
  /// As the network sees the volume.
  let geometry: Geometry
  /// Of the files; another one than `geometry` where the volume was turned.
  package let storedGeometry: Geometry
  let resampledGeometry: Geometry
  let placement: PreparationPlacement

  /// The slices as the network gets them, before they are cropped or padded.
  var sliceSize: ImageSize { placement.volume }

  /// The voxels of an image on `geometry` as they lie in the network's slices; 0 where there are none.
  package func placed(_ image: Image) -> [Float] {
    let resampled =
      resampledGeometry == geometry ? image : image.resampled(onto: resampledGeometry, interpolation: .linear)
    return placement.placed(resampled.voxels, padding: 0)
  }

  /// A volume on the grid that the network sees, turned back onto that of the files.
  func turnedBack<Voxel>(_ volume: Volume<Voxel>) -> Volume<Voxel> {
    Volume(voxels: volume.reoriented(to: storedGeometry.orientation).voxels, geometry: storedGeometry)
  }

  /// Maps of some slices on the network's grid (each slices × H × W, such as the probabilities of one class) brought back
  /// to the original one: bit by bit where nothing is resampled, otherwise linearly interpolated in plane.
  ///
  /// - Parameter slices: nil for all.
  package func restored(_ maps: [[Float]], slices: Range<Int>? = nil) -> [Image] {
    let slices = slices ?? 0..<geometry.size.z
    let (source, target) = (resampledGeometry.slices(slices), geometry.slices(slices))
    let count = slices.count * placement.network.height * placement.network.width
    return maps.map { map in
      precondition(map.count == count, "a map of \(map.count) voxels for slices \(slices)")
      let image = Image(voxels: placement.restored(map), geometry: source)
      return source == target ? image : image.resampled(onto: target, interpolation: .linear)
    }
  }

  /// Classes on the network's grid brought back to the original one. Nil where slices are resampled: then probabilities are,
  /// and decide.
  func restored(classes: [UInt8]) -> [UInt8]? {
    resampledGeometry == geometry ? placement.restored(classes) : nil
  }
}
