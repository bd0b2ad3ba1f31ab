import Basics
import CITK
import Foundation

/// A PNG, JPEG or TIFF file with a validated header and its pixels still on disk.
struct PictureFile {
  let url: URL
  let width: Int
  let height: Int
  /// Numbers a pixel once a palette is expanded: 1 grey, 2 grey and alpha, 3 RGB, 4 RGB and alpha.
  let componentCount: Int
  let hasPalette: Bool
  private let source: Source

  private enum Source {
    case png(CITKPNGHeader)
    case jpeg, tiff
  }

  /// - Throws: `Refusal` for a file that is damaged, of an unsupported kind, or too small for the size it claims.
  init(_ url: URL) throws {
    self.url = url
    try requireContents(of: url)
    switch try ImageFormat(of: url) {
    case .png:
      var header = CITKPNGHeader()
      try checked(citk_png_read_header(url.path, &header)) { PictureFile.unreadable(url, $0) }
      (width, height, componentCount) = (header.width, header.height, header.components)
      hasPalette = header.has_palette
      source = .png(header)
      try requirePlausible(bytes: max(1, header.bits / 8))
    case .jpeg:
      guard let header = try JPEGHeader(url) else { throw PictureFile.unreadable(url, "it is no JPEG") }
      guard header.bits == 8, [1, 3].contains(header.componentCount) else {
        throw Refusal(
          .image, url.path, "it has \(header.componentCount) components of \(header.bits) bits",
          detail: "expected 1 (grey) or 3 (colour) of 8", remedy: "convert it to RGB")
      }
      (width, height, componentCount) = (header.width, header.height, header.componentCount)
      hasPalette = false
      source = .jpeg
      guard header.isComplete else {
        throw Refusal(
          .image, url.path, "it ends before its last pixel", detail: "it is cut short",
          remedy: "copy it again from its source")
      }
      try requireUpright(header.orientation)
      try requirePlausible(bytes: 1)
    default:
      guard let header = try TIFFHeader(url) else { throw PictureFile.unreadable(url, "it is no TIFF") }
      if let fault = header.fault { throw fault.about(url.path) }
      (width, height) = (header.width, header.height)
      hasPalette = header.hasPalette
      componentCount = header.hasPalette ? 3 : header.samples
      source = .tiff
      try requireUpright(header.orientation)
      try requirePlausible(bytes: header.bits / 8)
    }
  }

  /// All numbers, pixel by pixel, rows from the top; for a palette the colours or, with `indices`, the indices.
  func read(indices: Bool = false) throws -> [Float] {
    let components = hasPalette && indices ? 1 : componentCount
    var values = [Float](repeating: 0, count: width * height * components)
    switch source {
    case .png(var header):
      try checked(citk_png_read(url.path, &header, !indices, &values), damage)
    case .jpeg:
      try checked(citk_jpeg_read(url.path, width, height, components, &values), damage)
    case .tiff:
      guard let handle = citk_file_open(url.path, CITKFormatTIFF, !indices) else {
        throw damage(lastITKError())
      }
      defer { citk_file_free(handle) }
      let size = (0..<citk_file_dimension_count(handle)).map { citk_file_dimension(handle, $0) }
      guard size == [width, height], citk_file_components(handle) == components else {
        throw Refusal(.image, url.path, "its pixels are stored in a way that is not read", remedy: "save it as PNG")
      }
      try checked(citk_file_read_float(handle, &values), damage)
    }
    return values
  }

  private func damage(_ reason: String) -> Refusal {
    Refusal(
      .image, url.path, "its pixels cannot be read (\(reason))", detail: "it is cut short or damaged",
      remedy: "copy it again from its source")
  }

  private static func unreadable(_ url: URL, _ reason: String) -> Refusal {
    Refusal(.image, url.path, "its header cannot be read (\(reason))", remedy: "export it again as PNG")
  }

  /// Throws `Refusal` for an orientation that viewers apply and other programs ignore.
  ///
  /// The mask may have been made with either.
  private func requireUpright(_ orientation: Int) throws {
    guard orientation != 1, (1...8).contains(orientation) else { return }
    throw Refusal(
      .image, url.path, "its orientation tag is \(orientation), by which viewers turn or mirror it",
      detail: "expected 1", remedy: "save it as it is to be seen, and check that its mask lies on it")
  }

  /// Throws `Refusal` for too many numbers a pixel, or more pixels than the file can hold.
  ///
  /// This happens before memory is taken for them. One byte expands to at most 1032 bytes in Deflate, 1340 in LZW and
  /// 512 pixels in JPEG. Rarer kinds pass up to 64 MiB.
  private func requirePlausible(bytes: Int) throws {
    guard (1...4).contains(componentCount) else {
      throw Refusal(
        .image, url.path, "it has \(componentCount) numbers a pixel", detail: "expected grey or RGB",
        remedy: "split it into one file a channel")
    }
    guard width > 0, height > 0 else {
      throw Refusal(
        .image, url.path, "its header gives the size \(width)×\(height)",
        detail: "each side must be at least 1 pixel long")
    }
    let promised = byteCount(SIMD3(width, height, 1), voxelBytes: bytes * componentCount)
    let size = fileSize(url)
    guard promised <= max(size * 2048, 64 << 20) else {
      throw Refusal(
        .image, url.path, "its header promises \(width)×\(height) pixels, more than a file of \(size) bytes holds",
        detail: "it is cut short or damaged", remedy: "copy it again from its source")
    }
    // Count the numbers as read, and one volume a channel.
    try VolumeMemory.requireRoom(
      for: SIMD3(width, height, 1), voxelBytes: 2 * MemoryLayout<Float>.size * componentCount, of: url)
  }
}
