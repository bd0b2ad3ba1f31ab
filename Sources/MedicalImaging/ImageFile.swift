package import Foundation

/// A volume's file with a validated header and complete voxels, which are still on disk.
enum ImageFile {
  case nifti(NIfTIFile)
  case text(TextVolume)

  /// - Parameter channels: the number of channels to be read; nil for any.
  init(_ url: URL, channels: Int? = 1) throws {
    let format = try Self.format(of: url)
    self =
      try format == .nifti
      ? .nifti(NIfTIFile(url, channels: channels)) : .text(TextVolume(url, format, channels: channels))
    try geometry.requireUsable(in: url)
  }

  /// The shape that the header alone gives; warns of nothing.
  static func shape(of url: URL) throws -> VolumeShape {
    let format = try Self.format(of: url)
    return try format == .nifti ? NIfTIFile.shape(of: url) : TextVolume.shape(of: url, format)
  }

  private static func format(of url: URL) throws -> ImageFormat {
    let format = try ImageFormat(of: url)
    try requireContents(of: url)
    precondition(!format.isPicture, "\(url.path) is a picture")
    return format
  }

  var geometry: Geometry {
    switch self {
    case .nifti(let file): file.geometry
    case .text(let file): file.geometry
    }
  }

  var shape: VolumeShape {
    switch self {
    case .nifti(let file): file.shape
    case .text(let file): file.shape
    }
  }

  func read(into voxels: inout [Float]) throws {
    switch self {
    case .nifti(let file): try file.read(into: &voxels)
    case .text(let file): try file.voxels.read(into: &voxels)
    }
  }

  func read(into voxels: inout [Double]) throws {
    switch self {
    case .nifti(let file): try file.read(into: &voxels)
    case .text(let file): try file.voxels.read(into: &voxels)
    }
  }

  /// Reads the channels, or only so many of the first.
  func channels(first count: Int = .max) throws -> [Image] {
    let (all, voxelCount) = (shape.channels, geometry.voxelCount)
    let wanted = min(count, all)
    var numbers = [Float](repeating: 0, count: voxelCount * (shape.isInterleaved ? all : wanted))
    try read(into: &numbers)
    guard wanted > 1 || shape.isInterleaved else { return [Image(voxels: numbers, geometry: geometry)] }
    return (0..<wanted).map { channel in
      let voxels =
        shape.isInterleaved
        ? stride(from: channel, to: numbers.count, by: all).map { numbers[$0] }
        : Array(numbers[channel * voxelCount..<(channel + 1) * voxelCount])
      return Image(voxels: voxels, geometry: geometry)
    }
  }
}

extension Geometry {
  /// Reads the grid of a volume's file, or the size of a picture.
  ///
  /// - Throws: `Refusal` for a file that cannot be read.
  package init(contentsOf url: URL) throws {
    guard isPicture(url) else {
      self = try ImageFile(url, channels: nil).geometry
      return
    }
    let picture = try PictureFile(url)
    self.init(size: SIMD3(picture.width, picture.height, 1))
  }
}
