import Basics
import Foundation

/// A MetaImage or NRRD file with a validated header.
struct TextVolume {
  let geometry: Geometry
  let shape: VolumeShape
  let voxels: StoredVoxels

  /// - Parameter channels: the number of channels to be read; nil for any.
  /// - Throws: `Refusal` for a header that is damaged, contradicts itself, or does not describe one volume.
  init(_ url: URL, _ format: ImageFormat, channels: Int?) throws {
    let isMeta = format == .meta
    let header = try TextHeader(url, isMeta ? MetaImage.line : NRRD.line)
    (geometry, shape, voxels) = try isMeta ? MetaImage(header).volume(channels) : NRRD(header).volume(channels)
    try voxels.requireAll(shape)
  }

  /// The shape that the header alone gives.
  static func shape(of url: URL, _ format: ImageFormat) throws -> VolumeShape {
    let isMeta = format == .meta
    let header = try TextHeader(url, isMeta ? MetaImage.line : NRRD.line)
    return try isMeta ? MetaImage(header).shape(channels: nil).shape : NRRD(header).shape(channels: nil).shape
  }
}

extension TextHeader {
  /// The file that a header names for its voxels.
  func dataFile(_ name: String) throws -> URL {
    guard !name.uppercased().hasPrefix("LIST"), !name.contains("%") else {
      throw Refusal(
        .image, url.path, "its voxels are in several files", detail: "expected one", remedy: "export it again as NIfTI")
    }
    let data = URL(fileURLWithPath: name, relativeTo: url.deletingLastPathComponent()).absoluteURL
    if let denial = accessDenial(of: data, .image) { throw denial }
    guard FileManager.default.fileExists(atPath: data.path) else {
      throw Refusal(.image, url.path, "its voxels' file \(data.path) is missing", remedy: "copy both files together")
    }
    guard isRegularFile(data) else {
      throw Refusal(
        .image, url.path, "its voxels' file \(data.path) is none", detail: "expected a file of bytes",
        remedy: "correct the header")
    }
    return data
  }
}

extension Geometry {
  /// Makes a grid from the vectors of its axes in the frame LPS+, of any length.
  ///
  /// - Parameter vectors: a step along x, y and z each, in mm; fewer for a slice.
  init(size: SIMD3<Int>, vectors: [SIMD3<Double>], originMM: SIMD3<Double>) {
    self.init(size: size, originMM: originMM)
    for (column, vector) in vectors.prefix(3).enumerated() {
      let length = (vector * vector).sum().squareRoot()
      spacingMM[column] = length
      for row in 0..<3 { direction[3 * row + column] = 0 + vector[row] / length }
    }
  }
}
