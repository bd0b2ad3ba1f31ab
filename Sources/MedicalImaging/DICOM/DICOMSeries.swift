import Basics
import Foundation

/// The slices of one DICOM series in order, judged by their headers; the pixels are still on disk.
public struct DICOMSeries: Sendable {
  public let folder: URL
  /// Its Series Instance UID.
  public let uid: String
  /// One file a slice, ascending along the z axis of `geometry`.
  public var files: [URL] { slices.map(\.url) }
  /// x along the rows, y along the columns, as stored; z along their cross product.
  public let geometry: Geometry
  let slices: [DICOMSlice]

  /// Looks for a series among the files of a folder, whatever their names; folders in it are not looked into.
  ///
  /// Slices are told apart and ordered by Image Position (Patient) alone.
  /// - Parameter series: its number, its UID, or the beginning of it; nil for the only one of images.
  /// - Throws: `ImagingError` where there is no such series, or a file of it is damaged, no grey image of 8 to 16 bits with
  ///   one frame, or compressed in a way that is not read; where sizes, orientations or spacings differ; and where places
  ///   are missing, taken twice, unevenly spaced or not stacked along the normal.
  public init(contentsOf folder: URL, series: String? = nil) throws {
    let chosen = withoutLocalizers(try DICOMFolder(folder).chosen(series), in: folder)
    let grid = try DICOMGrid(chosen, folder: folder)
    self.folder = folder
    uid = chosen[0].series
    slices = grid.slices
    geometry = grid.geometry
  }

  /// Reads the pixels: stored values times slope plus intercept of each slice. MONOCHROME1 does not turn them around.
  ///
  /// Pixels whose stored value is the slice's Pixel Padding Value, or lies between it and Pixel Padding Range Limit, are
  /// no data: they get the least value of all others.
  /// - Throws: `ImagingError` for pixels that cannot be decoded, and where none holds data.
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
      throw ImagingError(
        "\(folder.path): every pixel is padding (Pixel Padding Value (0028,0120)), so the series holds no data; correct "
          + "its headers, or choose another series.")
    }
    for index in marks.indices where marks[index] { image.voxels[index] = least }
    return image
  }
}

/// Leaves out overviews among other images, and says so.
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
