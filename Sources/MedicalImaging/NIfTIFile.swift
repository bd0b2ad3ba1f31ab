import Basics
import CITK
import Foundation

/// Deflate's largest ratio: the most bytes that one compressed byte expands to.
let largestInflation = 1032

/// A NIfTI file (version 1 or 2, gzipped or not), or a pair of header and voxels, with a validated header.
struct NIfTIFile {
  let url: URL
  let header: NIfTIHeader
  let geometry: Geometry
  let shape: VolumeShape
  private let stored: StoredVoxels

  /// - Parameter channels: the number of channels to be read; nil for any.
  init(_ url: URL, channels: Int?) throws {
    self.url = url
    _ = try compression(of: url)
    header = try niftiHeader(of: url)
    let data = try header.kind == .single ? url : voxels(of: url)
    let isCompressed = try compression(of: data)
    shape = try VolumeShape(header.dimensions, channels: channels, of: url)
    guard !header.isColour else { throw colours(url, "NIfTI data type \(header.datatype)") }
    guard let type = VoxelType(rawValue: header.datatype) else {
      throw Refusal(
        .image, url.path, "its voxels are of NIfTI data type \(header.datatype)",
        detail: "expected one integer or float a voxel")
    }
    guard header.dataOffset >= (header.kind == .single ? 352 : 0) else {
      throw Refusal(
        .image, url.path, "its header has its voxels begin at byte \(header.dataOffset), which is in the header",
        detail: "expected 352 or more", remedy: "correct the header")
    }
    geometry = (shape.channels > 1 ? header.geometry.ofSpace : header.geometry).geometry(size: shape.size)
    stored = try StoredVoxels(header, url, data, type, isCompressed: isCompressed)
    try stored.requireAll(shape)
    reportDoubts(shape.size)
  }

  /// The shape that the header alone gives.
  static func shape(of url: URL) throws -> VolumeShape {
    _ = try compression(of: url)
    return try VolumeShape(niftiHeader(of: url).dimensions, channels: nil, of: url)
  }

  private func reportDoubts(_ size: SIMD3<Int>) {
    if let doubt = header.geometry.doubt(size: size) {
      Warnings.report(url, doubt, kind: "whose sform and qform differ")
    }
    guard header.kind == .analyze else { return }
    Warnings.report(
      url,
      "Analyze 7.5 does not say where the patient's left is; x was taken to run to the left, y to the back and z up: check "
        + "where it lies, or convert it to NIfTI.", kind: "in the format Analyze 7.5")
  }

  func read(into voxels: inout [Float]) throws { try stored.read(into: &voxels) }
  func read(into voxels: inout [Double]) throws { try stored.read(into: &voxels) }
}

extension StoredVoxels {
  fileprivate init(_ header: NIfTIHeader, _ url: URL, _ data: URL, _ type: VoxelType, isCompressed: Bool) throws {
    self.init(
      url: data, data: data, type: type, isSwapped: header.isSwapped, encoding: isCompressed ? .deflate : .raw,
      offset: isCompressed ? 0 : header.dataOffset, skip: isCompressed ? header.dataOffset : 0, slope: header.slope,
      intercept: header.intercept)
  }
}

/// Tells whether the file is gzipped; throws `Refusal` if its name says otherwise.
private func compression(of url: URL) throws -> Bool {
  let start = try FileHandle(forReadingFrom: url).read(upToCount: 2)
  let isCompressed = start == Data([0x1f, 0x8b])
  let saysCompressed = url.pathExtension.lowercased() == "gz"
  guard isCompressed || !saysCompressed else {
    let plain = url.deletingPathExtension().pathExtension
    throw Refusal(
      .image, url.path, "its name ends in .gz but it is not gzip data", remedy: "rename it to .\(plain) or compress it")
  }
  guard saysCompressed || !isCompressed else {
    let ending = url.pathExtension
    throw Refusal(
      .image, url.path, "its name ends in .\(ending) but it is gzip data", remedy: "rename it to .\(ending).gz")
  }
  return isCompressed
}

private func niftiHeader(of url: URL) throws -> NIfTIHeader {
  var bytes = [UInt8](repeating: 0, count: NIfTIHeader.length)
  bytes.removeLast(bytes.count - citk_inflate_head(url.path, &bytes, bytes.count))
  let isPair = stemOfPair(url) != nil
  guard let header = NIfTIHeader(bytes), isPair || header.kind == .single && bytes.count >= 352 else {
    throw Refusal(
      .image, url.path, "it does not begin with a NIfTI-1\(isPair ? ", NIfTI-2 or Analyze" : " or NIfTI-2") header",
      remedy: "export it again as NIfTI")
  }
  return header
}

/// The path of a pair's header without its extension; nil for the name of another file.
private func stemOfPair(_ url: URL) -> String? {
  [".hdr", ".hdr.gz"].first { url.path.lowercased().hasSuffix($0) }.map { String(url.path.dropLast($0.count)) }
}

/// The file with a pair's voxels.
private func voxels(of header: URL) throws -> URL {
  let stem = stemOfPair(header) ?? header.path
  let paths = [".img", ".img.gz", ".IMG", ".IMG.GZ"].map { stem + $0 }
  guard let path = paths.first(where: { FileManager.default.fileExists(atPath: $0) }) else {
    throw Refusal(.image, header.path, "its voxels' file \(paths[0]) is missing", remedy: "copy both files together")
  }
  let data = URL(fileURLWithPath: path)
  if let denial = accessDenial(of: data, .image) { throw denial }
  return data
}

/// The error for a volume in colour, meant as a mask or as an image.
func colours(_ url: URL, _ type: String) -> Refusal {
  Refusal(
    .image, url.path, "its voxels are colours (\(type))", detail: "expected one number a voxel",
    remedy: "of a mask, give each colour a number from 0 to 255; of an image, save each channel as a file of its own")
}
