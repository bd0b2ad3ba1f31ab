package import Foundation

/// An element of an image that is the same in its whole series, by its keyword in DICOM's dictionary.
package enum HeaderElement: String, CaseIterable, Sendable {
  case modality = "Modality"
  case seriesDescription = "SeriesDescription"
  case studyDescription = "StudyDescription"
  case protocolName = "ProtocolName"
  case bodyPart = "BodyPartExamined"
  case sequenceName = "SequenceName"
  case imageType = "ImageType"
  case contrastAgent = "ContrastBolusAgent"
  case kernel = "ConvolutionKernel"
  case manufacturer = "Manufacturer"
  case model = "ManufacturerModelName"
  case station = "StationName"
  case institution = "InstitutionName"

  fileprivate var tag: DICOMTag {
    switch self {
    case .modality: .modality
    case .seriesDescription: .seriesDescription
    case .studyDescription: .studyDescription
    case .protocolName: .protocolName
    case .bodyPart: .bodyPart
    case .sequenceName: .sequenceName
    case .imageType: .imageType
    case .contrastAgent: .contrastAgent
    case .kernel: .kernel
    case .manufacturer: .manufacturer
    case .model: .modelName
    case .station: .station
    case .institution: .institution
    }
  }
}

/// The header of one image, for what it says of its series.
package struct SeriesHeader {
  private let file: DICOMFile

  /// - Throws: `Refusal` for a file that is incomplete, damaged, or no DICOM file.
  package init(contentsOf url: URL) throws { file = try DICOMFile(url) }

  /// Series Instance UID.
  package var series: String? { file.text(.series) }
  /// SOP Instance UID.
  package var instance: String? { file.text(.sopInstance) }
  /// SOP Class UID.
  package var sopClass: String? { file.text(.sopClass) }

  /// The values of an element, at most 32; empty where it is missing.
  package func values(of element: HeaderElement) -> [String] {
    Array((0..<32).lazy.map { file.text(element.tag, at: $0) }.prefix { $0 != nil }.compactMap { $0 })
  }
}
