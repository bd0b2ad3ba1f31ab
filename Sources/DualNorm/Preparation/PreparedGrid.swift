import MedicalImaging

/// Where a prepared volume lies in its files, and the way back; without the intensities, which can go before the masks.
package struct PreparedGrid: Equatable, Sendable {
  /// As the network sees the volume.
  let geometry: Geometry
  /// Of the files; another one than `geometry` where the volume was turned.
  package let storedGeometry: Geometry
  let resampledGeometry: Geometry

  /// A volume on the grid that the network sees, turned back onto that of the files.
  func turnedBack<Voxel>(_ volume: Volume<Voxel>) -> Volume<Voxel> {
    Volume(voxels: volume.reoriented(to: storedGeometry.orientation).voxels, geometry: storedGeometry)
  }

  /// The voxels of an image on `geometry`, resampled as the network sees them.
  package func resampled(_ image: Image) -> [Float] {
    (resampledGeometry == geometry ? image : image.resampled(onto: resampledGeometry, interpolation: .linear)).voxels
  }

  /// Maps of some slices on the network's grid (each slices × H × W, such as the probabilities of one class) brought back
  /// to the original one: bit by bit where nothing is resampled, otherwise linearly interpolated in plane.
  ///
  /// - Parameter slices: nil for all.
  package func restored(_ maps: [[Float]], slices: Range<Int>? = nil) -> [Image] {
    let slices = slices ?? 0..<geometry.size.z
    let (source, target) = (resampledGeometry.slices(slices), geometry.slices(slices))
    return maps.map { map in
      let image = Image(voxels: map, geometry: source)
      return source == target ? image : image.resampled(onto: target, interpolation: .linear)
    }
  }

  /// Tells whether slices are resampled. Then probabilities are brought back to the original grid, and decide there.
  var isResampled: Bool { resampledGeometry != geometry }
}
