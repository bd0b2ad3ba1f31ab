import Basics
public import Foundation

/// The slices of one DICOM series in order, validated by their headers; the pixels are still on disk.
public struct DICOMSeries: Sendable {
  public let folder: URL
  /// Its Series Instance UID.
  public let uid: String
  /// One file a slice, ascending along the z axis of `geometry`.
  public var files: [URL] { slices.map(\.url) }
  /// The grid: x along the rows, y along the columns, as stored; z along their cross product.
  public let geometry: Geometry
  let slices: [DICOMSlice]

  /// Finds a series among a folder's files, by any name; skips subfolders.
  ///
  /// Slices are distinguished and ordered by Image Position (Patient) alone.
  /// - Parameter series: its number, its UID, or the beginning of it; nil for the only series of images.
  /// - Throws: `Refusal` if there is no such series. Also if a file is damaged, compressed in an unsupported way,
  ///   or no grey image of 8 to 16 bits with one frame. Also if sizes, orientations or spacings differ, or positions
  ///   are missing, repeated, unevenly spaced or not stacked along the normal.
  public init(contentsOf folder: URL, series: String? = nil) throws {
    let chosen = withoutLocalizers(try DICOMFolder(folder).chosen(series), in: folder)
    let grid = try DICOMGrid(chosen, folder: folder)
    self.folder = folder
    uid = chosen[0].series
    slices = grid.slices
    geometry = grid.geometry
  }

  /// Reads the pixels: each slice's stored values times slope plus intercept. MONOCHROME1 is not inverted.
  ///
  /// Stored values equal to the slice's Pixel Padding Value, or between it and Pixel Padding Range Limit, are no data.
  /// Such pixels get the least value of all others.
  /// - Throws: `Refusal` for pixels that cannot be decoded, or if none holds data.
  public func image() throws -> Image {
    try geometry.requireUsable(in: folder)
    try VolumeMemory.requireRoom(for: geometry.size, voxelBytes: MemoryLayout<Float>.size + 1, of: folder)
    var image = Image(repeating: 0, geometry: geometry)
    var marks = slices.contains(where: \.hasPadding) ? [Bool](repeating: false, count: geometry.voxelCount) : []
    try image.voxels.withUnsafeMutableBufferPointer { voxels in
      for (z, slice) in slices.enumerated() {
        let place = z * geometry.sliceCount..<(z + 1) * geometry.sliceCount
        let found = try slice.read(into: UnsafeMutableBufferPointer(rebasing: voxels[place]))
        if slice.hasPadding { marks.replaceSubrange(place, with: found) }
      }
    }
    guard marks.contains(true) else { return image }
    image.noData = marks
    var least = Float.infinity
    image.forEachMeasured { _, value in least = min(least, value) }
    guard least < .infinity else {
      throw Refusal(
        .image, folder.path, "every pixel is padding (Pixel Padding Value (0028,0120)), so the series holds no data",
        remedy: "correct its headers, or choose another series")
    }
    for index in marks.indices where marks[index] { image.voxels[index] = least }
    return image
  }
}

/// Leaves out localizers among other images, with a warning.
private func withoutLocalizers(_ slices: [DICOMSlice], in folder: URL) -> [DICOMSlice] {
  let localizers = slices.filter(\.isLocalizer)
  guard !localizers.isEmpty, localizers.count < slices.count else { return slices }
  let names = localizers.prefix(3).map(\.url.lastPathComponent).joined(separator: ", ")
  let more = localizers.count > 3 ? " and \(localizers.count - 3) more" : ""
  Warnings.report(
    "\(folder.path): \(names)\(more): localizers by their Image Type, which are no slices of the volume; they are left "
      + "out.")
  return slices.filter { !$0.isLocalizer }
}
