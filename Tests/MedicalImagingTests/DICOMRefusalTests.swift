import Basics
import Foundation
import MedicalImaging
import TestSupport
import Testing

/// The exact sentence of each refusal.
@Suite struct DICOMRefusalTests {
  @Test(arguments: FileFault.all) func refusesFiles(fault: FileFault) throws {
    try withFolder { folder in
      try makeSeries(in: folder) { if $0 == 1 { fault.change(&$1) } }
      try expect(folder, "\(folder.path)/1.dcm: \(fault.sentence)")
    }
  }

  /// A fault in one file of a series.
  struct FileFault: Sendable, CustomTestStringConvertible {
    let testDescription: String
    let sentence: String
    let change: @Sendable (inout DICOMSliceFile) -> Void

    init(_ name: String, _ sentence: String, _ change: @escaping @Sendable (inout DICOMSliceFile) -> Void) {
      (testDescription, self.sentence, self.change) = (name, sentence, change)
    }

    static let all = kinds + pixels + places + differences

    private static let kinds = [
      FileFault("no series", "belongs to no series (0020,000E); copy it again from its source.") {
        $0.texts[0x0020_000e] = nil
      },
      FileFault("no pixels", "holds no pixels (modality MR); choose a series of images.") { $0.pixels = nil },
      FileFault(
        "frames",
        "holds 60 frames (multi-frame); expected one slice a file: convert it to NIfTI, for example by dcm2niix."
      ) { $0.texts[0x0028_0008] = ("IS", "60") },
      FileFault(
        "mosaic",
        "is a mosaic of many slices; expected one slice a file: convert it to NIfTI, for example by dcm2niix."
      ) { $0.texts[0x0008_0008] = ("CS", "ORIGINAL\\PRIMARY\\M\\ND\\MOSAIC") },
      FileFault("colour", "is in colour (RGB, 3 numbers a pixel); expected grey: choose another series.") {
        $0.words[0x0028_0002] = 3
        $0.texts[0x0028_0004] = ("CS", "RGB")
      },
      FileFault("palette", "is in colour (PALETTE COLOR, 1 number a pixel); expected grey: choose another series.") {
        $0.texts[0x0028_0004] = ("CS", "PALETTE COLOR")
      },
      FileFault(
        "table",
        "turns stored values into intensities by a table (Modality LUT), which is not read; convert it to NIfTI."
      ) { slice in
        let item = slice.encoded(0x0028_3002, "US", [0, 0, 0, 0, 16, 0])
        let items: [UInt8] = [0xfe, 0xff, 0x00, 0xe0] + UInt32(item.count).littleEndianBytes + item
        slice.raw[0x0028_3000] = slice.encoded(0x0028_3000, "SQ", items)
      },
    ]

    private static let pixels = [
      FileFault("slope", "its Rescale Slope is \"1,5\", which is no number; correct the header.") {
        $0.texts[0x0028_1053] = ("DS", "1,5")
      },
      FileFault("intercept", "its Rescale Intercept is \"-1024 HU\", which is no number; correct the header.") {
        $0.texts[0x0028_1052] = ("DS", "-1024 HU")
      },
      FileFault(
        "bits", "its pixels have 32 of 32 bits (high bit 31); expected 1 to 16 within 8 or 16: convert it to NIfTI."
      ) {
        $0.words[0x0028_0100] = 32
        $0.words[0x0028_0101] = 32
        $0.words[0x0028_0102] = 31
      },
      FileFault(
        "high bit", "its pixels have 12 of 16 bits (high bit 3); expected 1 to 16 within 8 or 16: convert it to NIfTI."
      ) {
        $0.words[0x0028_0101] = 12
        $0.words[0x0028_0102] = 3
      },
      FileFault("no rows", "its header gives the size 3×0; each side must be 1 to 65535 pixels long.") {
        $0.words[0x0028_0010] = nil
      },
      FileFault(
        "too few",
        "its header promises 65535×65535 pixels of 2 bytes, but it holds 12 bytes of pixels; it is damaged: copy "
          + "it again from its source."
      ) {
        $0.words[0x0028_0010] = 65535
        $0.words[0x0028_0011] = 65535
      },
    ]

    private static let unplaced =
      "does not say where it lies in the patient (Image Position, Image Orientation and Pixel Spacing); it is no slice of "
      + "a volume: choose another series."

    private static let places = [
      FileFault("no position", unplaced) { $0.texts[0x0020_0032] = nil },
      FileFault("no orientation", unplaced) { $0.texts[0x0020_0037] = ("DS", "1\\0\\0\\0\\1") },
      FileFault("no number", unplaced) { $0.texts[0x0028_0030] = ("DS", "1\\nan") },
      FileFault("no spacing", "its pixel spacing is 0.0×1.0 mm; each must be a positive length: correct the header.") {
        $0.texts[0x0028_0030] = ("DS", "1\\0")
      },
      FileFault(
        "far", "its position in the patient is 0.0, 0.0, 1e+300 mm, more than a kilometre away; correct the header."
      ) { $0.texts[0x0020_0032] = ("DS", "0\\0\\1e300") },
      FileFault(
        "oblique axes",
        "its rows and columns are not perpendicular unit vectors (Image Orientation); correct the header."
      ) { $0.texts[0x0020_0037] = ("DS", "1\\0\\0\\0.6\\0.8\\0") },
    ]

    private static let alike =
      "in 0.dcm of the same series; the slices of a volume are alike: take those that are not out of the folder."

    private static let differences = [
      FileFault("size", "its size is 2×3, and 3×2 \(alike)") {
        $0.words[0x0028_0010] = 3
        $0.words[0x0028_0011] = 2
      },
      FileFault("orientation", "its orientation is 0\\1\\0\\1\\0\\0, and 1\\0\\0\\0\\1\\0 \(alike)") {
        $0.texts[0x0020_0037] = ("DS", "0\\1\\0\\1\\0\\0")
      },
      FileFault("pixel spacing", "its pixel spacing is 0.8×1.5 mm, and 0.75×1.5 mm \(alike)") {
        $0.texts[0x0028_0030] = ("DS", "1.5\\0.8")
      },
      FileFault("frame of reference", "its frame of reference is 1.2.7, and 1.2.8 \(alike)") {
        $0.texts[0x0020_0052] = ("UI", "1.2.7")
      },
    ]
  }

  @Test func refusesPlacesThatAreNoVolume() throws {
    let heights = [0, 3.07, 6.14, 9.21, 12.28, 15.35, 18.28, 21.21, 24.14, 27.07, 30]
    let drifting = heights.map { SIMD3(0, 0, $0) }
    try expectStack(
      [[0, 0, 0], [0, 0, 3], [0, 0, 9], [0, 0, 12], [0, 0, 15]],
      "a slice is missing between 1.dcm and 2.dcm, which lie 6 mm apart and others 3 mm; copy the series again from its "
        + "source.")
    try expectStack(
      [[0, 0, 0], [0, 0, 3], [0, 0, 6], [0, 0, 18]],
      "3 slices are missing between 2.dcm and 3.dcm, which lie 12 mm apart and others 3 mm; copy the series again from its "
        + "source.")
    try expectStack(
      [[0, 0, 0], [0, 0, 3], [0, 0, 7], [0, 0, 10]],
      "its slices are not evenly spaced by more than 5 %, at 1.dcm and 2.dcm, which lie 4 mm apart and others 3 mm; resample "
        + "it to a regular grid, as NIfTI.")
    try expectStack(
      [[0, 0, 0], [0, 0, 3], [0, 0, 3], [0, 0, 6], [0, 0, 9]],
      "1.dcm and 2.dcm lie in the same place (0 mm apart); expected one slice a place: keep one time point, echo or copy in "
        + "the folder.")
    try expectStack(
      [[0, 0, 0], [0, 0, 0]],
      "0.dcm and 1.dcm lie in the same place (0 mm apart); expected one slice a place: keep one time point, echo or copy in "
        + "the folder.")
    try expectStack(
      drifting,
      "its slices are not evenly spaced: 5.dcm lies 0.35 mm from its place at 3 mm a slice, more than 10 %; resample it to "
        + "a regular grid, as NIfTI.")
    try expectStack(
      [[0, 0, 0], [0, 0.8, 3], [0, 1.6, 6], [0, 2.4, 9]],
      "its slices are not stacked along their normal: 1.dcm lies 0.8 mm to the side of 0.dcm (gantry tilt of 14.93°?); "
        + "resample it to a rectangular grid, as NIfTI.")
    try withFolder { folder in
      var slice = DICOMSliceFile([1, 2], columns: 2, rows: 1, position: .zero)
      slice.texts[0x0018_0050] = nil
      try slice.write(to: folder.appendingPathComponent("0.dcm"))
      try expect(
        folder,
        "\(folder.path)/0.dcm: is the only slice of its series and does not say how thick it is (Slice Thickness); give a "
          + "series of several slices.")
    }
  }

  /// An enhanced image has its position in functional groups.
  @Test func anEnhancedImageOfOneFrame() throws {
    try withFolder { folder in
      var slice = DICOMSliceFile([1, 2], columns: 2, rows: 1, position: .zero)
      for tag: UInt32 in [0x0020_0032, 0x0020_0037, 0x0028_0030] { slice.texts[tag] = nil }
      slice.texts[0x0028_0008] = ("IS", "1")
      slice.raw[0x5200_9229] = slice.encoded(0x5200_9229, "SQ", [0xfe, 0xff, 0x00, 0xe0, 0, 0, 0, 0])
      let file = folder.appendingPathComponent("a.dcm")
      try slice.write(to: file)
      try expect(
        folder,
        "\(file.path): is an enhanced image, whose place is in functional groups, which are not read; convert it to NIfTI, "
          + "for example by dcm2niix.")
    }
  }

  /// The slice that differs from most is named, even if it comes first.
  @Test func theOddSliceIsNamed() throws {
    try withFolder { folder in
      try makeSeries(in: folder) {
        if $0 == 0 { ($1.words[0x0028_0010], $1.words[0x0028_0011]) = (3, 2) }
      }
      try expect(
        folder,
        "\(folder.path)/0.dcm: its size is 2×3, and 3×2 in 1.dcm of the same series; the slices of a volume are alike: take "
          + "those that are not out of the folder.")
    }
  }

  @Test func refusesCompressionsThatAreNotRead() throws {
    let sentences = [
      "jpeg-2000":
        "its pixels are compressed as JPEG 2000, which is not read; decompress it (for example by gdcmconv --raw) "
        + "or convert it to NIfTI.",
      "deflated":
        "cannot be read as DICOM: all of it is compressed (deflated); decompress it, for example by dcmconv +te, or "
        + "convert it to NIfTI.",
    ]
    for (name, sentence) in sentences {
      try withFolder { folder in
        let file = folder.appendingPathComponent("a.dcm")
        try FileManager.default.copyItem(at: DICOMReference.folder.appendingPathComponent("\(name).dcm"), to: file)
        try expect(folder, "\(file.path): \(sentence)")
      }
    }
  }

  /// A slice distance of 0 means nothing, so the thickness is used.
  @Test func aSingleSliceIsAsThickAsItSays() throws {
    try withFolder { folder in
      var slice = DICOMSliceFile([1, 2], columns: 2, rows: 1, position: .zero)
      slice.texts[0x0018_0088] = ("DS", "0")
      try slice.write(to: folder.appendingPathComponent("a.dcm"))
      #expect(try Image(contentsOf: folder).geometry.spacingMM.z == 3.5)
    }
  }

  @Test func severalSeriesAreListed() throws {
    let two = DICOMReference.folder.appendingPathComponent("two")
    let root = "1.2.826.0.1.3680043.10.1234"
    let five = "number 5 \"T1 über 5\" (MR, 5 slices, UID \(root).5)"
    let six = "number 6 (MR, 3 slices, UID \(root).6)"
    try expect(
      two,
      "\(two.path): holds 2 series: \(five), \(six); choose one by its number or UID (--series of predict), or keep one "
        + "a folder.")
    for choice in ["7", "", "1.3"] {
      try expect(
        two, series: choice,
        "--series \(choice): there is no such series in \(two.path), which holds \(five), \(six); give a number, or a UID up "
          + "to where it differs.")
    }
    try expect(
      two, series: "1.2.826",
      "--series 1.2.826: there are several such series in \(two.path), which holds \(five), \(six); give a number, or a UID up "
        + "to where it differs.")
  }

  @Test func aFolderWithoutImagesAndASingleFile() throws {
    try withFolder { folder in
      try makeSeries(in: folder) {
        $1.texts[0x0008_0060] = ("CS", "SEG")
        if $0 > 0 { $1.texts[0x0020_000e] = ("UI", "1.2.3.4") }
      }
      try expect(
        folder, series: "1.2.3.3",
        "\(folder.path)/0.dcm: is a segmentation of images and no image; choose the series that it was made from.")
      let file = folder.appendingPathComponent("0.dcm")
      try expect(file, "\(file.path): a single DICOM file; give the folder of its series, or a mask as NIfTI.")
    }
  }

  private func expectStack(_ positions: [SIMD3<Double>], _ sentence: String) throws {
    try withFolder { folder in
      for (place, position) in positions.enumerated() {
        try DICOMSliceFile([1, 2], columns: 2, rows: 1, position: position, instance: place)
          .write(to: folder.appendingPathComponent("\(place).dcm"))
      }
      try expect(folder, "\(folder.path): \(sentence)")
    }
  }

  private func expect(
    _ folder: URL, series: String? = nil, _ sentence: String, _ location: SourceLocation = #_sourceLocation
  ) throws {
    let error = #expect(throws: Refusal.self, sourceLocation: location) {
      try Image(contentsOf: folder, series: series)
    }
    #expect(error?.description == sentence, sourceLocation: location)
  }
}
