import Foundation
import MedicalImaging

/// The sentence on a mask that does not lie on its image's voxels; nil if it does, up to rounding.
package func mismatch(mask: URL, _ maskGeometry: Geometry, image: URL, _ imageGeometry: Geometry) -> String? {
  maskGeometry.mismatch(with: imageGeometry).map {
    "\(mask.path): does not lie on the voxels of its image \(image.path): \($0); resample the mask onto the image or "
      + "correct the wrong header."
  }
}

/// The sentence on a modality that does not lie on the first one's voxels; nil if it does, up to rounding.
package func mismatch(modality: URL, _ geometry: Geometry, first: URL, _ firstGeometry: Geometry) -> String? {
  geometry.mismatch(with: firstGeometry).map {
    "\(modality.path): does not lie on the voxels of \(first.path), another modality of the case: \($0); resample them "
      + "onto one grid."
  }
}
