import Basics
import CDICOM
import Foundation

/// The image description in the header of one DICOM file.
struct DICOMSlice: Sendable {
  let url: URL
  let series: String
  let seriesNumber: Int?
  let seriesDescription: String
  let modality: String
  let sopClass: String
  let sopInstance: String
  let frameOfReference: String
  /// The refusal of a file that is no slice of a volume; nil for one that can be read.
  let fault: Refusal?
  /// Tells whether it is a localizer, an overview for planning other images, which often shares their series.
  let isLocalizer: Bool
  /// Tells whether it has pixels and is no segmentation.
  let isImage: Bool
  /// Pixels along x and y.
  let size: SIMD2<Int>
  /// Distance of neighbouring columns (x) and rows (y), in mm.
  let spacingMM: SIMD2<Double>
  /// Centre of the first pixel; `row` and `column` are unit vectors along a row (x) and a column (y). LPS+, mm.
  let positionMM: SIMD3<Double>
  let row: SIMD3<Double>
  let column: SIMD3<Double>
  /// The header's slice thickness or distance, in mm; used for series of a single slice.
  let thicknessMM: Double?
  private let pixels: CDICOMPixels
  /// Tells whether some stored values mark unmeasured pixels (Pixel Padding Value).
  var hasPadding: Bool { pixels.padding_low <= pixels.padding_high }

  /// - Throws: `Refusal` for a file that cannot be read as DICOM or belongs to no series.
  init(_ url: URL) throws {
    let file = try DICOMFile(url)
    guard let series = file.text(.series) else {
      throw Refusal(.image, url.path, "belongs to no series (0020,000E)", remedy: "copy it again from its source")
    }
    self.url = url
    self.series = series
    seriesNumber = file.integer(.seriesNumber)
    seriesDescription = inOneLine(file.text(.seriesDescription) ?? "")
    modality = inOneLine(file.text(.modality) ?? "")
    sopClass = file.text(.sopClass) ?? ""
    sopInstance = file.text(.sopInstance) ?? ""
    frameOfReference = file.text(.frameOfReference) ?? ""
    isImage = cdicom_pixel_bytes(file.handle) >= 0 && modality != "SEG"
    isLocalizer = (2..<16).contains { file.text(.imageType, at: $0) == "LOCALIZER" }
    size = SIMD2(file.integer(.columns) ?? 0, file.integer(.rows) ?? 0)
    let allocated = file.integer(.bitsAllocated) ?? 0
    let stored = file.integer(.bitsStored) ?? allocated
    let isSigned = file.integer(.isSigned) == 1
    let padding = paddingValues(of: file, isSigned: isSigned)
    pixels = CDICOMPixels(
      columns: size.x, rows: size.y, bits_allocated: allocated, bits_stored: stored,
      high_bit: file.integer(.highBit) ?? stored - 1, is_signed: isSigned,
      slope: rescaling(.slope, of: file).first.flatMap(Double.init) ?? 1,
      intercept: rescaling(.intercept, of: file).first.flatMap(Double.init) ?? 0,
      padding_low: padding?.lowerBound ?? 1, padding_high: padding?.upperBound ?? 0)
    let spacing = file.numbers(.pixelSpacing, 2)  // of rows, then of columns
    spacingMM = spacing.map { SIMD2($0[1], $0[0]) } ?? .zero
    let position = file.numbers(.position, 3)
    positionMM = position.map { SIMD3($0) } ?? .zero
    let orientation = file.numbers(.orientation, 6)
    row = orientation.map { SIMD3($0.prefix(3)) } ?? .zero
    column = orientation.map { SIMD3($0.suffix(3)) } ?? .zero
    thicknessMM = [.spacingBetweenSlices, .sliceThickness].compactMap { file.number($0) }.first { $0 > 0 }
    let isPlaced = spacing != nil && position != nil && orientation != nil
    let fault =
      faultOfKind(of: file) ?? faultOfPixels(pixels, of: file)
      ?? (isPlaced
        ? faultOfPlace(positionMM, spacingMM, row, column)
        : faultOfUnplaced(file))
    self.fault = fault?.about(url.path)
  }

  /// Reads the stored values times slope plus intercept, `size.x` × `size.y`, and which of them are no data.
  func read(into values: UnsafeMutableBufferPointer<Float>) throws -> [Bool] {
    precondition(values.count == size.x * size.y, "\(values.count) values for a slice of \(size.x)×\(size.y)")
    var noData = [Bool](repeating: false, count: values.count)
    let file = try DICOMFile(url)
    var pixels = pixels
    guard cdicom_read_pixels(file.handle, &pixels, values.baseAddress!, &noData) else {
      throw Refusal(
        .image, url.path, "its pixels cannot be read (\(lastDICOMError()))", detail: "it is cut short or damaged",
        remedy: "copy it again from its source")
    }
    return noData
  }
}

/// The slopes or intercepts in a file: its own, and those in the functional groups of enhanced objects.
///
/// Real World Value Mapping serves other units and is not applied.
private func rescaling(_ tag: DICOMTag, of file: DICOMFile) -> [String] {
  let groups = [DICOMTag.sharedGroups, .frameGroups]
  return [file.text(tag)].compactMap { $0 }
    + groups.compactMap { file.text(tag, within: [$0, .pixelValueTransformation]) }
}

private func faultOfRescaling(of file: DICOMFile) -> Refusal? {
  for (tag, name) in [(DICOMTag.slope, "Slope"), (.intercept, "Intercept")] {
    let texts = rescaling(tag, of: file)
    let values = texts.map { Double($0) ?? .nan }
    if let place = values.firstIndex(where: { !$0.isFinite }) {
      return Refusal(
        .image, "its Rescale \(name) is \"\(inOneLine(texts[place]))\", which is no number",
        remedy: "correct the header")
    }
    if let other = values.first(where: { $0 != values[0] }) {
      return Refusal(
        .image, "its Rescale \(name) is \(short(values[0])) and, in its functional groups, \(short(other))",
        remedy: "correct the header")
    }
  }
  return nil
}

private func faultOfUnplaced(_ file: DICOMFile) -> Refusal {
  guard !file.has(.sharedGroups), !file.has(.frameGroups) else {
    return Refusal(
      .image, "is an enhanced image, whose place is in functional groups, which are not read",
      remedy: "convert it to NIfTI, for example by dcm2niix")
  }
  return Refusal(
    .image, "does not say where it lies in the patient (Image Position, Image Orientation and Pixel Spacing)",
    detail: "it is no slice of a volume", remedy: "choose another series")
}

/// The stored values from Pixel Padding Value to Pixel Padding Range Limit; nil if the file names none.
///
/// Writers often give the 16 bits of a signed value as an unsigned number, or vice versa.
private func paddingValues(of file: DICOMFile, isSigned: Bool) -> ClosedRange<Int32>? {
  func stored(_ tag: DICOMTag) -> Int32? {
    guard let value = file.integer(tag) else { return nil }
    let bits = UInt16(truncatingIfNeeded: value)
    return isSigned ? Int32(Int16(bitPattern: bits)) : Int32(bits)
  }
  guard let value = stored(.padding) else { return nil }
  let limit = stored(.paddingLimit) ?? value
  return min(value, limit)...max(value, limit)
}

/// The refusal of an object that is no grey slice; nil for a grey slice.
private func faultOfKind(of file: DICOMFile) -> Refusal? {
  let isSegmentation = file.text(.modality) == "SEG"
  guard !isSegmentation, cdicom_pixel_bytes(file.handle) >= 0 else {
    let kind = file.text(.modality).map { " (modality \(inOneLine($0)))" } ?? ""
    return isSegmentation
      ? Refusal(
        .image, "is a segmentation of images and no image", remedy: "choose the series that it was made from")
      : Refusal(.image, "holds no pixels\(kind)", remedy: "choose a series of images")
  }
  if let frames = file.integer(.frames), frames != 1 {
    return Refusal(
      .image, "holds \(frames) frames (multi-frame)", detail: "expected one slice a file",
      remedy: "convert it to NIfTI, for example by dcm2niix")
  }
  guard !(2..<16).contains(where: { file.text(.imageType, at: $0) == "MOSAIC" }) else {
    return Refusal(
      .image, "is a mosaic of many slices", detail: "expected one slice a file",
      remedy: "convert it to NIfTI, for example by dcm2niix")
  }
  let samples = file.integer(.samples) ?? 1
  let photometric = file.text(.photometricInterpretation) ?? "MONOCHROME2"
  guard samples == 1, ["MONOCHROME1", "MONOCHROME2"].contains(photometric) else {
    return Refusal(
      .image,
      "is in colour (\(inOneLine(photometric)), \(samples == 1 ? "1 number" : "\(samples) numbers") a pixel)",
      detail: "expected grey", remedy: "choose another series")
  }
  guard file.text(.modalityTable) == nil, !file.has(.modalityTable) else {
    return Refusal(
      .image, "turns stored values into intensities by a table (Modality LUT), which is not read",
      remedy: "convert it to NIfTI")
  }
  if let fault = faultOfRescaling(of: file) { return fault }
  guard cdicom_can_decode(file.handle) else {
    return Refusal(
      .image,
      "its pixels are compressed as \(DICOMSyntax.name(inOneLine(file.text(.transferSyntax) ?? ""))), which is not read",
      remedy: "decompress it (for example by gdcmconv --raw) or convert it to NIfTI")
  }
  return nil
}

/// The refusal of unsupported bits, or of more pixels than the file can hold; nil for valid pixels.
private func faultOfPixels(_ pixels: CDICOMPixels, of file: DICOMFile) -> Refusal? {
  let (columns, rows) = (pixels.columns, pixels.rows)
  guard (1...65535).contains(columns), (1...65535).contains(rows) else {
    return Refusal(
      .image, "its header gives the size \(columns)×\(rows)", detail: "each side must be 1 to 65535 pixels long")
  }
  let (allocated, stored, high) = (pixels.bits_allocated, pixels.bits_stored, pixels.high_bit)
  guard [8, 16].contains(allocated), (1...allocated).contains(stored), (stored - 1..<allocated).contains(high) else {
    return Refusal(
      .image, "its pixels have \(stored) of \(allocated) bits (high bit \(high))",
      detail: "expected 1 to 16 within 8 or 16", remedy: "convert it to NIfTI")
  }
  let promised = byteCount(SIMD3(columns, rows, 1), voxelBytes: allocated / 8)
  let held = cdicom_pixel_bytes(file.handle)
  let isCompressed = cdicom_is_compressed(file.handle)
  // RLE expands up to 64 times. A JPEG of one colour may have up to 64 MiB. A surplus below one frame may be padding.
  guard isCompressed ? promised <= max(held * 2048, 64 << 20) : held >= promised && held < 2 * promised else {
    return Refusal(
      .image,
      "its header promises \(columns)×\(rows) pixels of \(allocated / 8) bytes, but it holds \(held) bytes of "
        + "\(isCompressed ? "compressed " : "")pixels", detail: "it is damaged", remedy: "copy it again from its source"
    )
  }
  return nil
}

private func faultOfPlace(
  _ position: SIMD3<Double>, _ spacing: SIMD2<Double>, _ row: SIMD3<Double>, _ column: SIMD3<Double>
) -> Refusal? {
  let far = 1e6  // beyond this, differences would be rounded
  guard spacing.min() > 0, spacing.max() < far else {
    return Refusal(
      .image, "its pixel spacing is \(spacing.x)×\(spacing.y) mm", detail: "each must be a positive length",
      remedy: "correct the header")
  }
  guard position.min() > -far, position.max() < far else {
    return Refusal(
      .image,
      "its position in the patient is \(position.x), \(position.y), \(position.z) mm, more than a kilometre away",
      remedy: "correct the header")
  }
  let products = [(row * row).sum() - 1, (column * column).sum() - 1, (row * column).sum()]
  guard products.allSatisfy({ abs($0) < 1e-3 }) else {
    return Refusal(
      .image, "its rows and columns are not perpendicular unit vectors (Image Orientation)",
      remedy: "correct the header")
  }
  return nil
}
