import Foundation
import MedicalImaging

/// One scan: the files of its modalities and, if there is one, its reference mask.
package struct Case: Hashable, Sendable {
  /// The name, unique within the site, for example `Case03`.
  package let name: String
  /// The hospital it comes from; a data set without sites has a single one.
  package let site: String
  /// The scanned patient; a patient's scans never fall on both sides of a split.
  package let patient: String
  /// One file a modality, in the order of the network's channels.
  ///
  /// A colour picture is one file with three channels. A folder is a DICOM series.
  package let images: [URL]
  package let mask: URL?
  /// For each image, the series of its DICOM folder, or nil for the only one; empty if there is no choice.
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

  /// Tells whether its image is a picture (PNG, JPEG, TIFF) rather than a volume.
  package var isPicture: Bool { images.contains(where: MedicalImaging.isPicture) }

  /// The extension of its predicted mask: pictures get pictures.
  package var maskEnding: String { isPicture ? ".png" : ".nii.gz" }

  /// The case's name across sites: `Site-A/Case03`.
  package var identifier: String { "\(site)/\(name)" }
}
