import Basics
import CDICOM
import Foundation

/// A DICOM file with its elements in memory and its pixels still on disk.
final class DICOMFile {
  let url: URL
  let handle: OpaquePointer

  /// - Throws: `Refusal` for a file that is incomplete, damaged, or no DICOM file.
  init(_ url: URL) throws {
    self.url = url
    try requireContents(of: url)
    let fault = DICOMStructure.fault(in: try DICOMBytes(url))
    guard fault == nil, let opened = cdicom_file_open(url.path) else {
      let reason = fault ?? DICOMFault(lastDICOMError())
      throw Refusal(.image, url.path, "cannot be read as DICOM: \(reason.found)", remedy: reason.advice)
    }
    handle = opened
  }

  deinit { cdicom_file_free(handle) }

  /// A value as text without the spaces around it; nil if missing or empty.
  func text(_ tag: DICOMTag, at position: Int = 0) -> String? {
    var bytes = [CChar](repeating: 0, count: 1024)
    let length = cdicom_value(handle, tag.rawValue, position, &bytes, bytes.count)
    guard length > 0 else { return nil }
    return String(decoding: bytes.prefix(length).map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }

  /// A value as text, from the first items of nested sequences, the outermost first.
  func text(_ tag: DICOMTag, within path: [DICOMTag]) -> String? {
    var bytes = [CChar](repeating: 0, count: 1024)
    let length = cdicom_value_within(handle, path.map(\.rawValue), path.count, tag.rawValue, &bytes, bytes.count)
    guard length > 0 else { return nil }
    return String(decoding: bytes.prefix(length).map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }

  /// A value of an item of a sequence, as text.
  func text(_ tag: DICOMTag, of sequence: DICOMTag, item: Int) -> String? {
    var bytes = [CChar](repeating: 0, count: 1024)
    let length = cdicom_value_of_item(handle, sequence.rawValue, item, tag.rawValue, &bytes, bytes.count)
    guard length > 0 else { return nil }
    return String(decoding: bytes.prefix(length).map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }

  /// Tells whether there is a non-empty sequence.
  func has(_ sequence: DICOMTag) -> Bool { cdicom_has_sequence(handle, sequence.rawValue) }

  func number(_ tag: DICOMTag, at position: Int = 0) -> Double? {
    text(tag, at: position).flatMap(Double.init).flatMap { $0.isFinite ? $0 : nil }
  }

  /// The first `count` numbers of an element; nil if one is missing.
  func numbers(_ tag: DICOMTag, _ count: Int) -> [Double]? {
    let values = (0..<count).compactMap { number(tag, at: $0) }
    return values.count == count ? values : nil
  }

  /// A 32-bit integer, as all of DICOM's integers are.
  func integer(_ tag: DICOMTag) -> Int? { number(tag).flatMap { Int32(exactly: $0) }.map(Int.init) }
}

/// The elements in use, by group and number.
enum DICOMTag: UInt32 {
  case transferSyntax = 0x0002_0010
  case imageType = 0x0008_0008
  case sopClass = 0x0008_0016
  case sopInstance = 0x0008_0018
  case modality = 0x0008_0060
  case manufacturer = 0x0008_0070
  case institution = 0x0008_0080
  case station = 0x0008_1010
  case studyDescription = 0x0008_1030
  case seriesDescription = 0x0008_103e
  case modelName = 0x0008_1090
  case contrastAgent = 0x0018_0010
  case bodyPart = 0x0018_0015
  case sequenceName = 0x0018_0024
  case sliceThickness = 0x0018_0050
  case spacingBetweenSlices = 0x0018_0088
  case protocolName = 0x0018_1030
  case kernel = 0x0018_1210
  case study = 0x0020_000d
  case series = 0x0020_000e
  case seriesNumber = 0x0020_0011
  case position = 0x0020_0032
  case orientation = 0x0020_0037
  case frameOfReference = 0x0020_0052
  case samples = 0x0028_0002
  case photometricInterpretation = 0x0028_0004
  case frames = 0x0028_0008
  case rows = 0x0028_0010
  case columns = 0x0028_0011
  case pixelSpacing = 0x0028_0030
  case bitsAllocated = 0x0028_0100
  case bitsStored = 0x0028_0101
  case highBit = 0x0028_0102
  case isSigned = 0x0028_0103
  case padding = 0x0028_0120
  case paddingLimit = 0x0028_0121
  case intercept = 0x0028_1052
  case slope = 0x0028_1053
  case modalityTable = 0x0028_3000
  case pixelValueTransformation = 0x0028_9145
  case segmentationType = 0x0062_0001
  case segments = 0x0062_0002
  case segmentNumber = 0x0062_0004
  case segmentLabel = 0x0062_0005
  case sharedGroups = 0x5200_9229
  case frameGroups = 0x5200_9230
}

/// DCMTK's message for this thread's last failure.
func lastDICOMError() -> String { inOneLine(String(cString: cdicom_error())) }

/// Puts text from a file on one line for a message.
func inOneLine(_ text: String) -> String {
  let line = String(text.map { $0.isNewline || $0.unicodeScalars.allSatisfy { $0.value < 32 } ? " " : $0 })
  return line.count > 80 ? line.prefix(77) + "..." : line
}
