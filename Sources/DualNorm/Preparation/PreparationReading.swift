import Basics
package import Datasets
import Foundation
package import MedicalImaging
package import Scores

extension Volume {
  /// The same voxels under the header `grid`, if they lie on its voxels by sform or qform; otherwise unchanged.
  package func onVoxels(of grid: Geometry) -> Volume {
    geometry.mismatch(with: grid) == nil ? Volume(voxels: voxels, geometry: grid, noData: noData) : self
  }
}

extension PreparedVolume {
  /// Reads and prepares a case.
  ///
  /// - Parameters:
  ///   - scheme: the classes of the mask's values; nil leaves the mask unread.
  ///   - measuresPercentiles: whether to measure intensities for a later comparison with training.
  /// - Throws: `Refusal` for files that cannot be read or used.
  package init(
    reading scan: Case, scheme: LabelScheme?, plan: PreparationPlan, measuresPercentiles: Bool = true
  ) throws {
    var (images, names, constant) = try scan.channels()
    let storedGeometry = images[0].geometry
    var labels: ClassMap?
    if let scheme, let mask = scan.mask {
      let values = try scan.labels(on: storedGeometry)!
      let fault = mismatch(mask: mask, values.geometry, image: scan.reference, storedGeometry)
      if let fault { throw fault }
      labels = try scheme.classes(of: values.onVoxels(of: storedGeometry), file: mask.path)
    }
    guard plan.nnUNet == nil || !scan.isPicture else {
      throw Refusal(
        .input, scan.reference.path, "is a picture, and the model was trained by nnU-Net on volumes",
        remedy: "give a volume, or a model that was trained on pictures")
    }
    // nnU-Net takes the axes as they are stored, in an order of its own.
    let order = plan.nnUNet.map { (plan.orientation ?? storedGeometry.orientation).permuted($0.axes) }
    let turn = scan.hasOrientation ? order ?? plan.orientation : nil
    if let turn {
      for index in images.indices { images[index] = images[index].reoriented(to: turn) }  // one at a time
      labels = labels?.reoriented(to: turn)
    }
    try self.init(
      images: consume images, labels: labels, plan: plan, names: names, storedGeometry: storedGeometry,
      constant: constant, measuresPercentiles: measuresPercentiles)
  }
}
