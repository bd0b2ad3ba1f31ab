import Basics
import DualNorm
import Foundation
import MedicalImaging
import Pictures
import Scores

/// The planes that the page shows of a volume, slice by slice, as radiologists view it; a byte a pixel of each plane.
struct SlicePlanes {
  let width, height, slices: Int
  /// Sides of a pixel across and down.
  let pixel: SIMD2<Double>
  let fullestSlice: Int
  private let channels: [Image]
  private let shades: SliceWindow
  private let view: SliceView
  private let classes: [Volume<UInt8>]
  /// The entropy, and its largest value.
  private let entropy: (image: Image, largest: Float)?

  /// Bytes of a slice: grey or colour, the classes of each pass, then the uncertainty.
  var sliceBytes: Int { width * height * (channels.count + classes.count + 1) }

  init(_ channels: [Image], _ results: [SegmentationModel.Segmentation], _ labels: LabelScheme) throws {
    let geometry = channels[0].geometry
    view = SliceView(direction: geometry.direction)
    let (size, spacing) = (geometry.size, geometry.spacingMM)
    (width, height) = view.isTransposed ? (size.y, size.x) : (size.x, size.y)
    pixel = view.isTransposed ? SIMD2(spacing.y, spacing.x) : SIMD2(spacing.x, spacing.y)
    slices = size.z
    self.channels = channels
    shades = SliceWindow(of: channels)
    let table = labels.classOfValue
    classes = results.map { result in
      Volume(voxels: result.labels.voxels.map { table[Int($0)] ?? 0 }, geometry: geometry)
    }
    fullestSlice = SheetRow.fullestSlice(of: results.last!.labels)
    entropy = results.last!.uncertainty.map { ($0.entropy, log(Float(labels.classCount))) }
  }

  func write(to file: URL) throws {
    guard FileManager.default.createFile(atPath: file.path, contents: nil, attributes: [.posixPermissions: 0o600])
    else {
      throw unwritable(file, errno)
    }
    let output = try FileHandle(forWritingTo: file)
    defer { try? output.close() }
    for z in 0..<slices {
      let bytes = slice(z)
      guard bytes.withUnsafeBytes({ writeAll($0, to: output.fileDescriptor) }) else { throw unwritable(file, errno) }
    }
  }

  private func slice(_ z: Int) -> [UInt8] {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(sliceBytes)
    for channel in channels {
      let place = z * channel.geometry.sliceCount..<(z + 1) * channel.geometry.sliceCount
      let dark = channel.noData
      bytes += viewed(place.map { dark?[$0] == true ? 0 : shades.shade(channel.voxels[$0]) }, channel.geometry)
    }
    for volume in classes { bytes += viewed(plane(volume, z), volume.geometry) }
    if let (image, largest) = entropy {
      bytes += viewed(plane(image, z).map { UInt8(min(max($0 / largest, 0), 1) * 255) }, image.geometry)
    } else {
      bytes += [UInt8](repeating: 0, count: width * height)
    }
    return bytes
  }

  private func plane<Voxel>(_ volume: Volume<Voxel>, _ z: Int) -> [Voxel] {
    let count = volume.geometry.sliceCount
    return Array(volume.voxels[z * count..<(z + 1) * count])
  }

  private func viewed(_ pixels: [UInt8], _ geometry: Geometry) -> [UInt8] {
    view.applied(to: pixels, width: geometry.size.x, height: geometry.size.y)
  }
}
