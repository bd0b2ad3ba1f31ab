import Basics
import CDICOM
public import Foundation

/// The header of a DICOM segmentation: its segments, and the place of each frame.
public struct DICOMSegmentation {
  /// The segments' labels by number. A mask's labels are the numbers.
  public let names: [LabelValue: String]
  private let file: DICOMFile
  /// Columns and rows.
  private let size: SIMD2<Int>
  private let frames: [CDICOMFrame]
  /// One for BINARY, whose frames show a segment each; 8 or 16 for LABELMAP, whose pixels are segments' numbers.
  private let bits: Int

  /// More segments than a network has classes; DCMTK takes time that grows with the square of their number.
  private static let mostSegments = 1000
  /// The largest distance of a frame from its slice, in pixels or distances of slices.
  private static let largestShift = 0.1

  /// Tells whether a file is a DICOM segmentation.
  public static func isOne(_ url: URL) -> Bool {
    isDICOM(url) && (try? DICOMFile(url))?.text(.modality) == "SEG"
  }

  /// Reads the header; the pixels stay on disk until `labels(on:)`.
  ///
  /// - Throws: `Refusal` for a file that is damaged, no segmentation, neither BINARY nor LABELMAP, or compressed.
  public init(contentsOf url: URL) throws {
    let file = try DICOMFile(url)
    self.file = file
    func refuse(_ found: String, _ remedy: String) -> Refusal { Refusal(.image, url.path, found, remedy: remedy) }
    guard file.text(.modality) == "SEG" else {
      throw refuse("is a DICOM file and no segmentation", "give a segmentation (modality SEG), or a mask as NIfTI")
    }
    let type = file.text(.segmentationType) ?? "missing"
    bits = file.integer(.bitsAllocated) ?? 0
    guard type == "BINARY" && bits == 1 || type == "LABELMAP" && [8, 16].contains(bits) else {
      throw refuse(
        "its Segmentation Type is \(inOneLine(type)), of \(counted(bits, "bit")) a pixel, and BINARY and LABELMAP are read",
        "save it as BINARY, or as NIfTI")
    }
    guard !cdicom_is_compressed(file.handle) else {
      throw refuse("its pixels are compressed", "decompress it, for example by dcmdrle or gdcmconv --raw")
    }
    names = try Self.names(of: file)
    size = SIMD2(file.integer(.columns) ?? 0, file.integer(.rows) ?? 0)
    let count = cdicom_item_count(file.handle, DICOMTag.frameGroups.rawValue)
    var frames = [CDICOMFrame](repeating: CDICOMFrame(), count: count)
    guard (1...65535).contains(size.x), (1...65535).contains(size.y), count > 0, file.integer(.frames) ?? 1 == count,
      cdicom_frames(file.handle, &frames, count), bits * size.x * size.y * count <= 8 * cdicom_pixel_bytes(file.handle)
    else {
      throw refuse("its frames are not those of its header; it is damaged", "copy it again from its source")
    }
    self.frames = frames
  }

  private static func names(of file: DICOMFile) throws -> [LabelValue: String] {
    let count = cdicom_item_count(file.handle, DICOMTag.segments.rawValue)
    guard (1...mostSegments).contains(count) else {
      throw Refusal(
        .image, file.url.path, "has \(counted(count, "segment")), expected 1 to \(mostSegments)",
        remedy: "give another mask")
    }
    var names: [LabelValue: String] = [:]
    for item in 0..<count {
      let number = file.text(.segmentNumber, of: .segments, item: item).flatMap(LabelValue.init) ?? 0
      let label = inOneLine(file.text(.segmentLabel, of: .segments, item: item) ?? "segment \(number)")
      if number == 0, file.text(.segmentNumber, of: .segments, item: item) == "0" { continue }  // a background
      guard number > 0, names.updateValue(label, forKey: number) == nil else {
        throw Refusal(
          .image, file.url.path, "two of its segments have the number \(number), or one has none",
          remedy: "number its segments from 1")
      }
    }
    return names
  }

  /// The mask on the grid of the series that was segmented; slices without a frame are background.
  ///
  /// - Throws: `Refusal` for frames that lie on no slice of the series, and for segments that overlap.
  public func labels(on series: DICOMSeries) throws -> LabelMap {
    let geometry = series.geometry
    guard size.x == geometry.size.x, size.y == geometry.size.y else {
      throw fault(
        "its frames have \(size.x)×\(size.y) pixels, and the slices of \(series.folder.path) "
          + "\(geometry.size.x)×\(geometry.size.y)")
    }
    let own = file.text(.frameOfReference)
    guard own == nil || own == series.slices[0].frameOfReference else {
      throw fault("its frame of reference is another than that of \(series.folder.path)")
    }
    try VolumeMemory.requireRoom(for: geometry.size, voxelBytes: MemoryLayout<LabelValue>.size, of: file.url)
    let places = try frames.enumerated().map { try slice(of: $1, number: $0 + 1, in: series) }
    let count = geometry.sliceCount
    let bytes = try pixels()
    var labels = LabelMap(repeating: 0, geometry: geometry)
    for (frame, z) in places.enumerated() {
      for pixel in 0..<count {
        // Most bytes of a binary frame are empty.
        if bits == 1, bytes[(frame * count + pixel) / 8] == 0 { continue }
        let number = label(frame * count + pixel, of: frame, in: bytes)
        guard number != 0 else { continue }
        let (other, (y, x)) = (labels.voxels[z * count + pixel], pixel.quotientAndRemainder(dividingBy: size.x))
        guard let name = names[number] else {
          throw Refusal(
            .image, file.url.path, "voxel (\(x), \(y), \(z)) is \(number), which is no segment's number",
            remedy: "copy it again from its source")
        }
        guard other == 0 || other == number else {
          throw Refusal(
            .image, file.url.path,
            "segments \(other) (\(names[other]!)) and \(number) (\(name)) overlap at voxel (\(x), \(y), \(z))",
            detail: "a voxel has one label", remedy: "separate them, or save each structure's mask alone")
        }
        labels.voxels[z * count + pixel] = number
      }
    }
    return labels
  }

  private func pixels() throws -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: (bits * size.x * size.y * frames.count + 7) / 8)
    guard cdicom_copy_pixels(file.handle, &bytes, bytes.count) else {
      throw Refusal(
        .image, file.url.path, "its pixels cannot be read (\(lastDICOMError()))",
        remedy: "copy it again from its source")
    }
    return bytes
  }

  /// The label of a pixel of a frame, which counts from the first frame's first.
  private func label(_ pixel: Int, of frame: Int, in bytes: [UInt8]) -> LabelValue {
    switch bits {
    case 8: LabelValue(bytes[pixel])
    case 16: LabelValue(bytes[2 * pixel]) | LabelValue(bytes[2 * pixel + 1]) << 8
    default: bytes[pixel / 8] >> (pixel % 8) & 1 == 1 ? LabelValue(frames[frame].segment) : 0
    }
  }

  /// The slice of the series that a frame lies on.
  private func slice(of frame: CDICOMFrame, number: Int, in series: DICOMSeries) throws -> Int {
    let geometry = series.geometry
    guard frame.is_placed, bits > 1 || names[LabelValue(clamping: frame.segment)] != nil else {
      throw Refusal(
        .image, file.url.path, "frame \(number) does not say which segment it shows or where it lies",
        remedy: "copy it again from its source")
    }
    let (p, o, s) = (frame.position, frame.orientation, frame.spacing)
    let cosines = [o.0, o.1, o.2, o.3, o.4, o.5]
    let expected = [0, 1].flatMap { axis in (0..<3).map { geometry.axis(axis)[$0] } }
    // NaN fits nowhere.
    let isParallel = zip(cosines, expected).allSatisfy { abs($0 - $1) <= 10 * DICOMGrid.cosineTolerance }
    let fits = abs(s.1 / geometry.spacingMM.x - 1) <= 1e-3 && abs(s.0 / geometry.spacingMM.y - 1) <= 1e-3
    let offset = SIMD3(p.0, p.1, p.2) - geometry.originMM
    let along = SIMD3((0..<3).map { axis in (0..<3).reduce(0.0) { $0 + offset[$1] * geometry.axis(axis)[$1] } })
    let voxels = along / geometry.spacingMM
    let z = voxels.z.rounded()
    let shift = max(abs(voxels.x), abs(voxels.y), abs(voxels.z - z))
    guard isParallel, fits, shift <= Self.largestShift, let slice = Int(exactly: z),
      (0..<geometry.size.z).contains(slice)
    else { throw fault("frame \(number) lies on no slice of \(series.folder.path)") }
    return slice
  }

  private func fault(_ found: String) -> Refusal {
    Refusal(.image, file.url.path, found, remedy: "give the series that it was made from")
  }
}
