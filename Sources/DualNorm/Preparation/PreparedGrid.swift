package import MedicalImaging

/// The geometry of a prepared volume, and the way back to its files. It lives on when the intensities are freed.
package struct PreparedGrid: Equatable, Sendable {
  /// Geometry in the network's orientation, before resampling.
  let geometry: Geometry
  /// Geometry of the files; differs from `geometry` if the volume was turned.
  package let storedGeometry: Geometry
  let resampledGeometry: Geometry

  /// Turns a volume on `geometry` back onto the files' grid.
  func turnedBack<Voxel>(_ volume: Volume<Voxel>) -> Volume<Voxel> {
    Volume(voxels: volume.reoriented(to: storedGeometry.orientation).voxels, geometry: storedGeometry)
  }

  /// The voxels of an image on `geometry`, resampled onto the network's grid.
  package func resampled(_ image: Image) -> [Float] {
    (resampledGeometry == geometry ? image : image.resampled(onto: resampledGeometry, interpolation: .linear)).voxels
  }

  /// Brings maps of some slices back to `geometry` in plane: bit by bit without resampling, otherwise linearly.
  ///
  /// - Parameters:
  ///   - maps: slices × H × W each, such as the probabilities of one class, on the network's grid in plane.
  ///   - slices: slices of `geometry`; nil for all.
  package func restored(_ maps: [[Float]], slices: Range<Int>? = nil) -> [Image] {
    let slices = slices ?? 0..<geometry.size.z
    let plane = geometry.inPlane(size: SIMD2(resampledGeometry.size.x, resampledGeometry.size.y))
    let (source, target) = (plane.slices(slices), geometry.slices(slices))
    return maps.map { map in
      let image = Image(voxels: map, geometry: source)
      return source == target ? image : image.resampled(onto: target, interpolation: .linear)
    }
  }

  /// Tells whether volumes are resampled. Classes are then chosen from probabilities brought back to the original grid.
  var isResampled: Bool { resampledGeometry != geometry }
}
