import Basics
public import Foundation

/// The readable image formats, told apart by file name.
enum ImageFormat {
  case nifti, nrrd, meta, png, jpeg, tiff

  static let endings: [(text: String, format: ImageFormat)] = [
    (".nii.gz", .nifti), (".nii", .nifti), (".hdr.gz", .nifti), (".hdr", .nifti), (".nrrd", .nrrd), (".nhdr", .nrrd),
    (".mha", .meta), (".mhd", .meta), (".png", .png), (".jpg", .jpeg), (".jpeg", .jpeg), (".tif", .tiff),
    (".tiff", .tiff),
  ]

  init(of url: URL) throws {
    guard let format = ImageFormat.byName(url) else {
      if isDICOM(url) {
        throw Refusal(
          .image, url.path, "a single DICOM file", remedy: "give the folder of its series, or a mask as NIfTI")
      }
      if imageNameKind(url) == .voxels {
        throw Refusal(.image, url.path, "these are voxels without their header", remedy: "give the header beside them")
      }
      throw Refusal(
        .image, url.path, "not an image format by its name",
        detail: "expected .nii.gz, .nii, .hdr, .nrrd, .nhdr, .mha or .mhd for a volume, .png, .jpg or .tif for a "
          + "picture")
    }
    self = format
  }

  /// The format of a file name's extension; nil for another one.
  static func byName(_ url: URL) -> ImageFormat? {
    let name = url.lastPathComponent.lowercased()
    return endings.first { name.hasSuffix($0.text) }?.format
  }

  /// Tells whether the format is one of 2-D pictures.
  var isPicture: Bool { [.png, .jpeg, .tiff].contains(self) }
}

/// The extensions of readable files, in lower case: `.nii.gz` to `.tiff`.
public let readableEndings = ImageFormat.endings.map(\.text)

/// Tells whether a file is a PNG, JPEG or TIFF by its name.
public func isPicture(_ url: URL) -> Bool { (try? ImageFormat(of: url))?.isPicture ?? false }

/// Throws `Refusal` unless `url` is a file with contents.
func requireContents(of url: URL) throws {
  if let denial = accessDenial(of: url, .image) { throw denial }
  var isFolder: ObjCBool = false
  guard FileManager.default.fileExists(atPath: url.path, isDirectory: &isFolder) else {
    throw Refusal(.image, url.path, "there is no such file", remedy: "check the path")
  }
  guard !isFolder.boolValue else {
    throw Refusal(.image, url.path, "this is a folder", detail: "expected a volume's file")
  }
  guard fileSize(url) > 0 else {
    throw Refusal(.image, url.path, "the file is empty", remedy: "copy it again from its source")
  }
}

/// The bytes of a file, or of the one that a link leads to; 0 if there is none.
func fileSize(_ url: URL) -> Int {
  let path = url.resolvingSymlinksInPath().path
  return ((try? FileManager.default.attributesOfItem(atPath: path))?[.size] as? NSNumber)?.intValue ?? 0
}

/// The bytes of all voxels; a count that overflows `Int` becomes the largest `Int`, which no file can hold.
func byteCount(_ size: SIMD3<Int>, voxelBytes: Int) -> Int {
  [size.y, size.z, voxelBytes].reduce(size.x) { product, factor in
    let (result, overflow) = product.multipliedReportingOverflow(by: factor)
    return overflow ? .max : result
  }
}

func cutShort(_ url: URL, _ shape: VolumeShape, voxelBytes: Int, found: Int) -> Refusal {
  Refusal(
    .image, url.path,
    "its header promises \(shape.text) voxels of \(voxelBytes) bytes, but the file holds at most \(found) bytes of voxels",
    detail: "it is cut short or damaged", remedy: "copy it again from its source")
}

func damaged(_ url: URL) -> Refusal {
  Refusal(
    .image, url.path, "its compressed data are damaged (\(lastITKError()))", remedy: "copy it again from its source")
}

extension Geometry {
  /// From a nanometre to a kilometre: beyond, squares and volumes of lengths leave the range of numbers in files.
  public static let usableSpacingsMM = 1e-6...1e6
  private static var farthestOriginMM: Double { 1e9 }

  /// Throws `Refusal` if a file's spacing, origin or directions cannot be used.
  func requireUsable(in url: URL) throws {
    guard (0..<3).allSatisfy({ spacingMM[$0].isFinite && spacingMM[$0] > 0 }) else {
      throw Refusal(
        .image, url.path, "its voxel spacing is \(spacingMM.x)×\(spacingMM.y)×\(spacingMM.z) mm",
        detail: "each must be a positive number", remedy: "correct the header")
    }
    guard (0..<3).allSatisfy({ Geometry.usableSpacingsMM.contains(spacingMM[$0]) }) else {
      throw Refusal(
        .image, url.path, "its voxel spacing is \(spacingMM.x)×\(spacingMM.y)×\(spacingMM.z) mm",
        detail: "expected 1e-06 to 1e+06 mm", remedy: "correct the header")
    }
    guard frame.allSatisfy(\.isFinite) else {
      throw Refusal(
        .image, url.path, "its origin or direction contains a value that is not a finite number",
        remedy: "correct the header")
    }
    guard (0..<3).allSatisfy({ abs(originMM[$0]) <= Geometry.farthestOriginMM }) else {
      throw Refusal(
        .image, url.path, "its origin is \(originMM.x), \(originMM.y), \(originMM.z) mm",
        detail: "expected at most 1e+09 mm from 0", remedy: "correct the header")
    }
    guard axesArePerpendicular else {
      throw Refusal(
        .image, url.path, "its axes are not perpendicular unit vectors", remedy: "resample it to a rectangular grid")
    }
  }

  /// Tells whether the axes are unit vectors at right angles, up to the rounding of hand-written headers (1e-3).
  var axesArePerpendicular: Bool {
    for a in 0..<3 {
      for b in a..<3 {
        let product = (axis(a) * axis(b)).sum()
        guard abs(product - (a == b ? 1 : 0)) < 1e-3 else { return false }
      }
    }
    return true
  }
}
