package import Foundation
import MedicalImaging
import Scores

/// One scan: where its channels are read from and, if there is one, its reference mask.
package struct Case: Hashable, Sendable {
  /// The name, unique within the site, for example `Case03`.
  package let name: String
  /// The hospital it comes from; a data set without sites has a single one.
  package let site: String
  /// The scanned patient; a patient's scans never fall on both sides of a split.
  package let patient: String
  /// The files of its channels, in the order of the network's input; empty for facts from a file.
  package let sources: [ImageSource]
  package let mask: URL?
  /// Tells whether its image is a picture (PNG, JPEG, TIFF) rather than a volume.
  package let isPicture: Bool

  package init(name: String, site: String, patient: String? = nil, sources: [ImageSource], mask: URL?) {
    self.name = name
    self.site = site
    self.patient = patient ?? name
    self.sources = sources
    self.mask = mask
    isPicture = sources.contains { MedicalImaging.isPicture($0.url) }
  }

  /// A case of one file a channel.
  package init(name: String, site: String, patient: String? = nil, images: [URL], mask: URL?) {
    self.init(name: name, site: site, patient: patient, sources: images.map(ImageSource.file), mask: mask)
  }

  /// The case's name across sites: `Site-A/Case03`.
  package var identifier: String { "\(site)/\(name)" }

  /// The paths of its channels, each once.
  package var images: [URL] { sources.map(\.url) }

  /// The file that gives the grid, and that messages name.
  package var reference: URL { sources[0].url }

  package var channelCount: Int { sources.reduce(0) { $0 + $1.channelCount } }

  /// The channels' names in messages.
  package var channelNames: [String] { sources.flatMap(\.channelNames) }

  /// The only source, if it holds several channels: a colour picture or a 4-D file.
  package var severalInOne: ImageSource? {
    sources.count == 1 && channelCount > 1 ? sources[0] : nil
  }

  /// The same case with other sources.
  func reading(_ sources: [ImageSource]) -> Case {
    Case(name: name, site: site, patient: patient, sources: sources, mask: mask)
  }
}

/// The differences between pictures and volumes.
extension Case {
  /// The ending of its predicted mask: pictures get pictures.
  package var maskEnding: String { isPicture ? ".png" : ".nii.gz" }

  /// Tells whether its axes have directions in the patient.
  package var hasOrientation: Bool { !isPicture }

  /// Tells whether it is one picture in red, green and blue.
  package var isColourPicture: Bool { isPicture && severalInOne != nil }
}

extension LengthUnit {
  /// Pixels if all cases are pictures, whose files do not tell the size of a pixel.
  package init(of cases: some Sequence<Case>) { self.init(arePictures: cases.map(\.isPicture)) }
}
