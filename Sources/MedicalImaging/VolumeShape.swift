import Basics
import Foundation

/// The size of a volume, and the numbers that its file holds of each voxel.
struct VolumeShape: Equatable {
  let size: SIMD3<Int>
  /// The number of channels; 1 for an ordinary volume.
  var channels = 1
  /// Tells whether a voxel's numbers lie side by side; otherwise whole volumes follow each other.
  var isInterleaved = false

  /// Bytes of all numbers; a count that overflows `Int` becomes the largest `Int`, which no file can hold.
  func byteCount(_ numberBytes: Int) -> Int {
    let (bytes, overflow) = numberBytes.multipliedReportingOverflow(by: channels)
    return MedicalImaging.byteCount(size, voxelBytes: overflow ? .max : bytes)
  }

  /// `5×4×3`, of several channels `5×4×3×2`.
  var text: String { "\(size.x)×\(size.y)×\(size.z)" + (channels > 1 ? "×\(channels)" : "") }

  /// Judges the shape that a header gives: a 2-D file is one slice, and axes of length 1 beyond the third are dropped.
  ///
  /// - Parameters:
  ///   - dimensions: along the axes of space, and perhaps one of channels or time behind them.
  ///   - numbers: a voxel's numbers side by side.
  ///   - wanted: the number of channels to be read; nil for any.
  init(_ dimensions: [Int], numbers: Int = 1, channels wanted: Int?, of url: URL) throws {
    let shape = dimensions.map(String.init).joined(separator: "×")
    guard dimensions.allSatisfy({ $0 > 0 }) else {
      throw Refusal(
        .image, url.path, "its header gives the size \(shape)", detail: "each axis must be at least 1 voxel long")
    }
    guard dimensions.count >= 2 else {
      throw Refusal(
        .image, url.path, "a row of \(shape) voxels", detail: "expected a volume or a slice",
        remedy: "export it again as NIfTI")
    }
    let further = dimensions.dropFirst(3).filter { $0 > 1 }
    guard wanted == 1 ? further.isEmpty : further.count + (numbers > 1 ? 1 : 0) <= 1 else {
      throw Refusal(
        .image, url.path, "a \(dimensions.count)-D file (\(shape))",
        detail: wanted == 1 ? "expected a 3-D volume" : "expected a 3-D volume, or one more axis of channels",
        remedy: "split it into one file a channel")
    }
    size = SIMD3(dimensions[0], dimensions[1], dimensions.count > 2 ? dimensions[2] : 1)
    guard numbers >= 1, wanted != 1 || numbers == 1 else { throw severalNumbers(url, numbers) }
    channels = further.first ?? numbers
    isInterleaved = numbers > 1
    if let wanted, wanted != channels {
      throw Refusal(
        .image, url.path, "holds \(counted(channels, "channel")) (\(text)), expected \(wanted)",
        remedy: "give the file that was there before")
    }
  }

  init(size: SIMD3<Int>) { self.size = size }
}

/// The error for a volume that has several numbers a voxel, or none, where one is expected.
private func severalNumbers(_ url: URL, _ count: Int) -> Refusal {
  [3, 4].contains(count)
    ? colours(url, "\(count) numbers each")
    : Refusal(
      .image, url.path, "it has \(count) numbers a voxel", detail: "expected one", remedy: "split it into one file each"
    )
}
