import Basics
import Foundation
import MedicalImaging
import TestSupport
import Testing

/// Localizers beside a series, and alone.
@Suite struct DICOMLocalizerTests {
  @Test func localizersAreLeftOut() throws {
    try withFolder { folder in
      func localizer(_ slice: inout DICOMSliceFile) {
        slice.texts[0x0008_0008] = ("CS", "ORIGINAL\\PRIMARY\\LOCALIZER")
      }
      try makeSeries(in: folder)
      let alone = try Image(contentsOf: folder)
      var overview = DICOMSliceFile(
        [1, 2], columns: 1, rows: 2, position: .zero, row: [0, 1, 0], column: [0, 0, -1], instance: 9)
      localizer(&overview)
      try overview.write(to: folder.appendingPathComponent("00.dcm"))
      let (image, warnings) = try Warnings.collecting { try Image(contentsOf: folder) }
      #expect(image == alone)
      #expect(
        warnings == [
          "\(folder.path): 00.dcm: localizers by their Image Type, which are no slices of the volume; they are left out."
        ])
      // A series of localizers alone is read.
      let other = folder.appendingPathComponent("other")
      try FileManager.default.createDirectory(at: other, withIntermediateDirectories: false)
      try makeSeries(in: other) { localizer(&$1) }
      #expect(try Warnings.collecting { try Image(contentsOf: other) }.warnings == [])
    }
  }

  @Test func aSingleFileIsNoSeries() throws {
    try withFolder { folder in
      try makeSeries(in: folder) { if $0 == 1 { $1.texts[0x0028_0008] = ("IS", "60") } }
      let file = folder.appendingPathComponent("0.dcm")
      #expect(
        faultOfSingleDICOM(file)?.description
          == "\(file.path): is one file of a DICOM series; give its folder, \(folder.path).")
      let frames = folder.appendingPathComponent("1.dcm")
      #expect(
        faultOfSingleDICOM(frames)?.description.hasPrefix("\(frames.path): holds 60 frames (multi-frame);") == true)
      try Data("no DICOM".utf8).write(to: file)
      #expect(faultOfSingleDICOM(file)?.description.hasPrefix("\(file.path): cannot be read as DICOM:") == true)
      #expect(faultOfSingleDICOM(folder) == nil && faultOfSingleDICOM(Fixtures.url("reference.json")) == nil)
    }
  }
}
