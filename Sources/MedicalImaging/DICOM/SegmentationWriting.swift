import Basics
import CDICOM
public import Foundation

/// A class of a mask as DICOM describes it.
public struct DICOMSegment: Equatable, Sendable {
  /// Its value in the mask, above 0.
  public let value: LabelValue
  /// A readable name, which also chooses the SNOMED code if `SegmentCode` knows it.
  public let name: String
  /// The red, green and blue of its colour in viewers.
  public let color: SIMD3<UInt8>

  public init(value: LabelValue, name: String, color: SIMD3<UInt8> = [255, 0, 0]) {
    self.value = value
    self.name = name
    self.color = color
  }
}

extension Volume where Voxel == LabelValue {
  /// Writes a DICOM Segmentation (BINARY, explicit little endian) of the series that was segmented.
  ///
  /// Segments are numbered from 1 in the given order. The file shares the series' patient, study and frame of
  /// reference, but has its own series. Each slice of each segment is one frame that refers to its source image; an
  /// empty segment has its first slice only.
  /// - Precondition: this mask lies on the grid of `series`, slice by slice.
  /// - Throws: `Refusal` for a source that DCMTK cannot refer to, or for a full disk or a folder that
  ///   cannot be written.
  public func writeSegmentation(
    to url: URL, of series: DICOMSeries, segments: [DICOMSegment], softwareVersion: String
  ) throws {
    precondition(geometry.size == series.geometry.size, "a mask of another size than its series")
    let writer = try SegmentationWriter(of: series, segments: segments, softwareVersion: softwareVersion)
    for (index, segment) in segments.enumerated() {
      let slices = (0..<geometry.size.z).filter { z in slice(z).contains(segment.value) }
      for z in slices.isEmpty ? [0] : slices {
        try writer.add(slice(z).map { $0 == segment.value ? 1 : 0 }, of: index, in: z)
      }
    }
    try writeAtomically(to: url, writer.save, refusal: { $0 })
  }

  private func slice(_ z: Int) -> ArraySlice<LabelValue> {
    voxels[z * geometry.sliceCount..<(z + 1) * geometry.sliceCount]
  }
}

extension DICOMSeries {
  /// Checks, before there is a mask, whether these headers allow a segmentation; warns of elements it leaves out.
  ///
  /// - Throws: `Refusal` naming the element that is missing or not valid.
  public func requireSegmentable(as segments: [DICOMSegment]) throws {
    let writer = try SegmentationWriter(of: self, segments: segments, softwareVersion: "1")
    let nothing = [UInt8](repeating: 0, count: geometry.sliceCount)
    for index in segments.indices { try writer.add(nothing, of: index, in: 0) }
    try writer.check()
  }
}

/// A DCMTK segmentation under construction.
private final class SegmentationWriter {
  private let handle: OpaquePointer
  private let series: DICOMSeries

  init(of series: DICOMSeries, segments: [DICOMSegment], softwareVersion: String) throws {
    self.series = series
    let source = try DICOMFile(series.files[0])
    try source.requireInheritable()
    for slice in series.slices { try slice.requireIdentity() }
    let first = series.slices[0]
    let spacing = [first.spacingMM.y, first.spacingMM.x, series.geometry.spacingMM.z]
    let orientation = [first.row, first.column].flatMap { [$0.x, $0.y, $0.z] }
    let labels = segments.map(\.label)
    let needsUTF8 = labels.contains { !$0.utf8.allSatisfy { $0 < 128 } }
    let uids = (0..<3).map { _ in newUID() }
    let made = withCStrings(uids) { uids in
      cdicom_segmentation_create(
        source.handle, CDICOMUIDs(instance: uids[0], series: uids[1], dimension_organization: uids[2]),
        softwareVersion, needsUTF8, spacing, orientation)
    }
    guard let made else { throw SegmentationWriter.fault(series) }
    handle = made
    for (segment, label) in zip(segments, labels) { try add(label, SegmentCode(of: segment.name), segment.color) }
    for slice in series.slices {
      try require(cdicom_segmentation_add_reference(handle, slice.sopClass, slice.sopInstance))
    }
  }

  deinit { cdicom_segmentation_free(handle) }

  private func add(_ label: String, _ code: SegmentCode, _ color: SIMD3<UInt8>) throws {
    let codes = [code.category, code.type] + (code.side.map { [$0] } ?? [])
    try require(
      withCStrings(codes.flatMap { [$0.value, "SCT", $0.meaning] }) { texts in
        var all = codes.indices.map {
          CDICOMCode(value: texts[3 * $0], scheme: texts[3 * $0 + 1], meaning: texts[3 * $0 + 2])
        }
        let colour = (0..<3).map { color[$0] }
        guard all.count > 2 else { return cdicom_segmentation_add_segment(handle, label, all[0], all[1], nil, colour) }
        return cdicom_segmentation_add_segment(handle, label, all[0], all[1], &all[2], colour)
      })
  }

  func add(_ mask: [UInt8], of segment: Int, in z: Int) throws {
    let slice = series.slices[z]
    let position = [slice.positionMM.x, slice.positionMM.y, slice.positionMM.z]
    try require(
      cdicom_segmentation_add_frame(
        handle, segment + 1, z + 1, mask, position, slice.sopClass, slice.sopInstance))
  }

  func check() throws { try require(cdicom_segmentation_check(handle)) }

  func save(to file: URL) throws { try require(cdicom_segmentation_save(handle, file.path)) }

  private func require(_ success: Bool) throws { if !success { throw SegmentationWriter.fault(series) } }

  private static func fault(_ series: DICOMSeries) -> Refusal {
    Refusal(
      .image, series.files[0].path, "makes no DICOM segmentation (\(lastDICOMError()))",
      remedy: "correct the series' header, or name the output .nii.gz to write NIfTI")
  }
}

extension DICOMSegment {
  /// The name as a DICOM long string: no backslash, which would separate two, and at most 64 characters.
  fileprivate var label: String {
    let line = name.map { $0 == "\\" ? "/" : $0.unicodeScalars.allSatisfy { $0.value >= 32 } ? $0 : " " }
    let text = String(line.prefix(64)).trimmingCharacters(in: .whitespaces)
    return text.isEmpty ? "label \(value)" : text
  }
}

/// Makes a new UID: 2.25 and a random UUID as a decimal number.
private func newUID() -> String {
  var bytes = withUnsafeBytes(of: UUID().uuid) { Array($0) }
  var digits = ""
  while bytes.contains(where: { $0 != 0 }) {
    var remainder = 0
    for index in bytes.indices {
      let value = remainder << 8 | Int(bytes[index])
      bytes[index] = UInt8(value / 10)
      remainder = value % 10
    }
    digits = String(remainder) + digits
  }
  return "2.25.\(digits)"
}

/// Calls `body` with C strings that live as long as the call.
func withCStrings<Result>(_ texts: [String], _ body: ([UnsafePointer<CChar>]) -> Result) -> Result {
  let copies = texts.map { strdup($0)! }
  defer { for copy in copies { free(copy) } }
  return body(copies.map { UnsafePointer($0) })
}
