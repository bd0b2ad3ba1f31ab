import Basics
import Foundation
import MedicalImaging
import TestSupport
import Testing

/// Invalid headers, checked before there is a mask.
@Suite struct DICOMInheritanceTests {
  private let segments = [DICOMSegment(value: 1, name: "x")]

  /// Warnings and refusals for a changed header, and the segmentation written if there is no refusal.
  private func judge(
    _ change: @escaping (inout DICOMSliceFile) -> Void
  ) throws -> (warnings: [String], refusal: String?, file: DICOMElements?) {
    try withFolder { folder in
      try makeSeries(in: folder) { change(&$1) }
      let series = try DICOMSeries(contentsOf: folder)
      let source = "\(folder.path)/0.dcm: "
      func short(_ text: String) -> String { text.replacingOccurrences(of: source, with: "") }
      do {
        let (_, warnings) = try Warnings.collecting { try series.requireSegmentable(as: segments) }
        let mask = LabelMap(repeating: 1, geometry: series.geometry)
        let file = folder.appendingPathComponent("out/mask.dcm")
        _ = try Warnings.collecting {
          try mask.writeSegmentation(to: file, of: series, segments: segments, softwareVersion: "1")
        }
        return (warnings.map(short), nil, try DICOMElements(contentsOf: file))
      } catch let error as Refusal {
        return ([], short(error.description), nil)
      }
    }
  }

  @Test func aValidHeader() throws {
    let (warnings, refusal, file) = try judge { _ in }
    #expect(warnings == [] && refusal == nil && file?.text(0x0010_0010) == "Doe^Jane")
  }

  @Test(
    arguments: [
      (0x0010_1010, "AS", "45", "Patient Age (0010,1010) \"45\""),
      (0x0010_0030, "DA", "1960-01-01", "Patient Birth Date (0010,0030) \"1960-01-01\""),
      (0x0008_0030, "TM", "10:10:10", "Study Time (0008,0030) \"10:10:10\""),
      (0x0008_0020, "DA", "1.1.2020", "Study Date (0008,0020) \"1.1.2020\""),
      (0x0010_1030, "DS", "70 kg", "Patient Weight (0010,1030) \"70 kg\""),
      (0x0008_0005, "CS", "LATIN", "Specific Character Set (0008,0005) \"LATIN\""),
    ] as [(UInt32, String, String, String)])
  func whatIsOptionalIsLeftOut(tag: UInt32, kind: String, value: String, name: String) throws {
    let (warnings, refusal, file) = try judge { $0.texts[tag] = (kind, value) }
    #expect(refusal == nil && (file?.text(tag) ?? "") == "" && file?.text(0x0010_0020) == "P1")
    #expect(
      warnings == ["its \(name) is not valid, so the segmentation leaves it out; correct the header to keep it."])
  }

  @Test func textInNoCharacterSet() throws {
    let (warnings, refusal, file) = try judge { slice in
      slice.raw[0x0010_0010] = slice.encoded(0x0010_0010, "PN", [0x4d, 0xfc, 0x6c, 0x6c, 0x65, 0x72])
      slice.texts[0x0010_0010] = nil
      slice.texts[0x0010_1010] = ("AS", "45")
    }
    #expect(refusal == nil && (file?.text(0x0010_0010) ?? "") == "")
    #expect(
      warnings == [
        "its Patient Name (0010,0010) \"M\u{fffd}ller\", Patient Age (0010,1010) \"45\" are not valid, so the segmentation "
          + "leaves them out; correct the header to keep them."
      ])
    // In other elements it does no harm.
    let (none, _, written) = try judge { slice in
      slice.raw[0x0008_0080] = slice.encoded(0x0008_0080, "LO", [0xfc, 0x6c])
    }
    #expect(none == [] && written != nil)
  }

  /// Other objects refer to it by the same characters.
  @Test(arguments: [0x0020_0052, 0x0020_000d, 0x0020_000e, 0x0008_0018] as [UInt32])
  func leadingZerosOfUIDsAreKept(tag: UInt32) throws {
    let uid = "1.2.840.0001.5"
    let (warnings, refusal, file) = try judge { $0.texts[tag] = ("UI", uid) }
    #expect(refusal == nil)
    let references = file?[0x0008_1115]
    let found: String? =
      switch tag {
      case 0x0020_000e: references?.text(tag)
      case 0x0008_0018: references?.sequences[0x0008_114a]?.first?.text(0x0008_1155)
      default: file?.text(tag)
      }
    #expect(found == uid)
    if tag == 0x0020_0052 {
      #expect(
        warnings == [
          "its Frame of Reference UID (0020,0052) \"\(uid)\" is not valid by leading zeros in its parts; the segmentation "
            + "has it as it is."
        ])
    }
  }

  @Test(
    arguments: [
      (0x0020_0052, nil, "Frame of Reference UID (0020,0052) is missing"),
      (0x0020_0052, "1.2.x", "Frame of Reference UID (0020,0052) \"1.2.x\" is not valid"),
      (0x0020_000d, nil, "Study Instance UID (0020,000D) is missing"),
      (0x0008_0018, nil, "SOP Instance UID (0008,0018) is missing"),
      (0x0008_0016, "CT", "SOP Class UID (0008,0016) \"CT\" is not valid"),
    ] as [(UInt32, String?, String)])
  func whatIsRequiredIsRefused(tag: UInt32, value: String?, fault: String) throws {
    let (_, refusal, _) = try judge { $0.texts[tag] = ("UI", value) }
    #expect(
      refusal
        == "its \(fault), and a DICOM segmentation cannot be without; correct the header, or name the output .nii.gz to write "
        + "NIfTI.")
  }
}
