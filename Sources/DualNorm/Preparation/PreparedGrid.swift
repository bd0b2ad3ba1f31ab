package import MedicalImaging

/// The geometry of a prepared volume, and the way back to its files. It lives on when the intensities are freed.
package struct PreparedGrid: Equatable, Sendable {
  /// Geometry in the network's orientation, before resampling.
  let geometry: Geometry
  /// Geometry of the files; differs from `geometry` if the volume was turned.
  package let storedGeometry: Geometry
  let resampledGeometry: Geometry
  /// The volume that `geometry` is a box of; nil if it is the whole.
  var crop: Crop?
  /// The interpolation of nnU-Net between `geometry` and the network's grid; nil for linear interpolation by ITK.
  var interpolation: NNUNetInterpolation?

  /// A box of a volume.
  struct Crop: Equatable, Sendable {
    /// The volume's geometry in the network's orientation.
    let whole: Geometry
    /// The voxel of the volume that is the box's first.
    let first: SIMD3<Int>
  }

  /// Turns a volume on `geometry` back onto the files' grid.
  ///
  /// - Parameter outside: the value of voxels outside of the box that the network saw.
  func turnedBack<Voxel>(_ volume: Volume<Voxel>, outside: Voxel) -> Volume<Voxel> {
    let whole = crop.map { volume.inserted(into: $0.whole, at: $0.first, outside: outside) } ?? volume
    return Volume(voxels: whole.reoriented(to: storedGeometry.orientation).voxels, geometry: storedGeometry)
  }

  /// Turns class probabilities on `geometry` back onto the files' grid; beyond the box all is background.
  func turnedBack(probabilities maps: [[Float]]) -> [Image] {
    maps.enumerated().map { index, map in
      turnedBack(Image(voxels: map, geometry: geometry), outside: index == 0 ? 1 : 0)
    }
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
    if let interpolation {
      let from = SIMD3(resampledGeometry.size.x, resampledGeometry.size.y, slices.count)
      let target = geometry.slices(slices)
      return maps.map {
        Image(voxels: interpolation.ofScoresInPlane($0, from: from, to: target.size), geometry: target)
      }
    }
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
