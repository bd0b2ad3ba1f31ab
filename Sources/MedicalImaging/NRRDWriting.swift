import Basics
import CITK
package import Foundation

extension Volume where Voxel == LabelValue {
  /// Writes NRRD (`.nrrd`) with this volume's geometry, in left-posterior-superior, atomically.
  ///
  /// The voxels are uint8 if that type holds all labels, otherwise uint16.
  ///
  /// - Parameters:
  ///   - compressed: whether the voxels are gzip rather than raw.
  ///   - largest: a label for which the type has room, be it in this map or not.
  /// - Throws: `Refusal` for another extension, or for a full disk or a folder that cannot be written.
  package func writeNRRD(to url: URL, compressed: Bool = true, withRoomFor largest: LabelValue = 0) throws {
    guard url.pathExtension.lowercased() == "nrrd" else {
      throw Refusal(.image, url.path, "not a name of a NRRD file", remedy: "name the output .nrrd")
    }
    try writeAtomically(nrrd(compressed: compressed, withRoomFor: largest), to: url)
  }

  /// The header and the voxels of a NRRD file, as `writeNRRD` writes them.
  ///
  /// - Throws: `Refusal` if memory runs out.
  package func nrrd(compressed: Bool = true, withRoomFor largest: LabelValue = 0) throws -> [Data] {
    let isWide = max(largest, voxels.max() ?? 0) > UInt8.max
    let header = """
      NRRD0004
      type: \(isWide ? "uint16" : "uint8")
      dimension: 3
      space: left-posterior-superior
      sizes: \(geometry.size.x) \(geometry.size.y) \(geometry.size.z)
      space directions: \((0..<3).map { vector(geometry.axis($0) * geometry.spacingMM[$0]) }.joined(separator: " "))
      kinds: domain domain domain
      endian: little
      encoding: \(compressed ? "gzip" : "raw")
      space origin: \(vector(geometry.originMM))


      """
    let bytes =
      isWide
      ? voxels.map(\.littleEndian).withUnsafeBytes { Data($0) } : Data(voxels.map { UInt8(truncatingIfNeeded: $0) })
    return [Data(header.utf8), compressed ? try gzipped(bytes) : bytes]
  }
}

/// The shortest text of a vector that gives the same doubles again.
private func vector(_ values: SIMD3<Double>) -> String {
  let words = (0..<3).map { axis in
    let text = "\(0 + values[axis])"  // no -0
    return text.hasSuffix(".0") ? String(text.dropLast(2)) : text
  }
  return "(\(words.joined(separator: ",")))"
}

/// - Throws: `Refusal` if memory runs out.
private func gzipped(_ bytes: Data) throws -> Data {
  var count = 0
  let compressed = bytes.withUnsafeBytes { raw in
    citk_gzip_bytes(raw.bindMemory(to: UInt8.self).baseAddress!, raw.count, &count)
  }
  guard let compressed else {
    throw Refusal(
      .image, "\(bytes.count) bytes of voxels cannot be compressed (\(lastITKError()))", remedy: "free some memory")
  }
  return Data(bytesNoCopy: compressed, count: count, deallocator: .free)
}
