import Foundation
import MedicalImaging

/// The sentence on a mask that does not lie on its image's voxels; nil where it does, up to rounding.
func mismatch(mask: URL, _ maskGeometry: Geometry, image: URL, _ imageGeometry: Geometry) -> String? {
  maskGeometry.mismatch(with: imageGeometry).map {
    "\(mask.path): does not lie on the voxels of its image \(image.path): \($0); resample the mask onto the image or "
      + "correct the wrong header."
  }
}

/// The sentence on a modality that does not lie on the first one's voxels; nil where it does, up to rounding.
func mismatch(modality: URL, _ geometry: Geometry, first: URL, _ firstGeometry: Geometry) -> String? {
  geometry.mismatch(with: firstGeometry).map {
    "\(modality.path): does not lie on the voxels of \(first.path), another modality of the case: \($0); resample them "
      + "onto one grid."
  }
}

extension PreparedVolume {
  /// Reads and prepares a case.
  ///
  /// - Parameter scheme: the classes of the mask's values; nil leaves the mask unread.
  /// - Throws: `ImagingError` for files that cannot be read, `InputError` for those that cannot be used.
  public init(reading scan: Case, scheme: LabelScheme?, plan: PreparationPlan) throws {
    let (stored, names, constant) = try scan.channels()
    var labels: LabelMap?
    if let scheme, let mask = scan.mask {
      let values = try LabelMap(contentsOf: mask)
      let fault = mismatch(mask: mask, values.geometry, image: scan.images[0], stored[0].geometry)
      if let fault { throw InputError(fault) }
      labels = try scheme.classes(of: values, file: mask.path)
    }
    let turn = scan.isPicture ? nil : plan.orientation
    try self.init(
      images: turn.map { turn in stored.map { $0.reoriented(to: turn) } } ?? stored,
      labels: turn.flatMap { labels?.reoriented(to: $0) } ?? labels, plan: plan, names: names,
      storedGeometry: stored[0].geometry, constant: constant)
  }
}
