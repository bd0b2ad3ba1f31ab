package import Basics
package import Foundation
package import MedicalImaging

/// The refusal of a mask that does not lie on its image's voxels; nil if it does, up to rounding.
package func mismatch(mask: URL, _ maskGeometry: Geometry, image: URL, _ imageGeometry: Geometry) -> Refusal? {
  maskGeometry.mismatch(with: imageGeometry).map {
    Refusal(
      .input, mask.path, "does not lie on the voxels of its image \(image.path): \($0)",
      remedy: "resample the mask onto the image or correct the wrong header")
  }
}

/// The refusal of a modality that does not lie on the first one's voxels; nil if it does, up to rounding.
package func mismatch(modality: URL, _ geometry: Geometry, first: URL, _ firstGeometry: Geometry) -> Refusal? {
  geometry.mismatch(with: firstGeometry).map {
    Refusal(
      .input, modality.path, "does not lie on the voxels of \(first.path), another modality of the case: \($0)",
      remedy: "resample them onto one grid")
  }
}
