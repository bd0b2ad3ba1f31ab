import Basics
import Foundation

/// The channels of a colour picture, in order.
public let colourChannels = ["red", "green", "blue"]

extension Volume where Voxel == Float {
  /// Reads a file's channels: one of a volume or a grey picture; red, green and blue of a colour picture.
  ///
  /// Pictures are PNG, JPEG or TIFF of 8 or 16 bits a channel (TIFF also float). They become volumes of one slice with
  /// the stored values, x to the right, y down. A pixel is 1 mm: a file's resolution is for print and seldom equal in
  /// image and mask. A palette is expanded. An alpha channel is dropped if it is constant.
  /// - Parameter series: the series of a DICOM folder, as `DICOMSeries` takes it.
  /// - Throws: `Refusal` if the file is missing, damaged, of another format, or transparent in places.
  public static func channels(contentsOf url: URL, series: String? = nil) throws -> [Image] {
    guard isPicture(url) else { return [try Image(contentsOf: url, series: series)] }
    let picture = try PictureFile(url)
    return try images(of: picture, picture.read(), components: picture.componentCount)
  }

  /// The number of channels that `channels(contentsOf:)` returns, from the header alone.
  public static func channelCount(contentsOf url: URL) throws -> Int {
    try isPicture(url) && PictureFile(url).componentCount > 2 ? 3 : 1
  }

  static func grey(contentsOf url: URL) throws -> Image {
    let channels = try channels(contentsOf: url)
    guard channels.count == 1 else {
      throw Refusal(
        .image, url.path, "it is in colour", detail: "expected one number a pixel", remedy: "convert it to grey")
    }
    return channels[0]
  }

  /// The grey values or palette indices of a picture that holds labels.
  static func labelPicture(contentsOf url: URL) throws -> Image {
    if try ImageFormat(of: url) == .jpeg {
      throw Refusal(
        .image, url.path, "a JPEG cannot hold labels, because its compression changes them",
        remedy: "save the mask as PNG")
    }
    let picture = try PictureFile(url)
    let channels = try images(
      of: picture, picture.read(indices: true), components: picture.hasPalette ? 1 : picture.componentCount)
    guard channels.count == 3 else { return channels[0] }
    let (red, green, blue) = (channels[0].voxels, channels[1].voxels, channels[2].voxels)
    if let place = red.indices.first(where: { red[$0] != green[$0] || red[$0] != blue[$0] }) {
      let colour = [red, green, blue].map { String(Int($0[place])) }.joined(separator: ", ")
      throw Refusal(
        .image, url.path, "pixel (\(place % picture.width), \(place / picture.width)) has the colour (\(colour))",
        detail: "labels must be grey values or a palette's indices", remedy: "give each colour a number from 0 to 255")
    }
    return channels[0]
  }

  /// Splits interleaved numbers into images, without the alpha channel.
  private static func images(of picture: PictureFile, _ values: [Float], components: Int) throws -> [Image] {
    let geometry = Geometry(size: SIMD3(picture.width, picture.height, 1))
    func component(_ index: Int) -> [Float] {
      components == 1 ? values : stride(from: index, to: values.count, by: components).map { values[$0] }
    }
    if components % 2 == 0 {
      let alpha = component(components - 1)
      guard alpha.allSatisfy({ $0 == alpha[0] }) else {
        throw Refusal(
          .image, picture.url.path, "it is transparent in places",
          detail: "expected none or the same transparency everywhere", remedy: "flatten it onto a background")
      }
    }
    return (0..<(components > 2 ? 3 : 1)).map { Image(voxels: component($0), geometry: geometry) }
  }
}
