import Foundation
import MedicalImaging

/// One scan: the files of its modalities and, where there is one, its reference mask.
package struct Case: Hashable, Sendable {
  /// Unique within its site, for example `Case03`.
  package let name: String
  /// The hospital it comes from; a data set without sites has a single one.
  package let site: String
  /// Whose scan it is; scans of one patient never fall on both sides of a split.
  package let patient: String
  /// One file a modality, in the order of the network's channels; a colour picture is one file with three of them.
  /// A folder is a DICOM series.
  package let images: [URL]
  package let mask: URL?
  /// For each image which series of its DICOM folder, or nil for the only one; empty where there is nothing to choose.
  package let series: [String?]

  package init(
    name: String, site: String, patient: String? = nil, images: [URL], mask: URL?, series: [String?] = []
  ) {
    self.name = name
    self.site = site
    self.patient = patient ?? name
    self.images = images
    self.mask = mask
    self.series = series
  }

  /// Whether its image is a picture (PNG, JPEG, TIFF) rather than a volume.
  package var isPicture: Bool { images.contains(where: MedicalImaging.isPicture) }

  /// The ending of its predicted mask: pictures get pictures.
  package var maskEnding: String { isPicture ? ".png" : ".nii.gz" }

  /// Names the case across sites: `Site-A/Case03`.
  package var identifier: String { "\(site)/\(name)" }
}
