import Basics
public import Foundation

/// The channels of a colour picture, in order.
public let colourChannels = ["red", "green", "blue"]

extension Volume where Voxel == Float {
  /// Reads a file's channels: one of a volume or a grey picture; red, green and blue of a colour picture.
  ///
  /// A 4-D file has one channel a volume, and a file of several numbers a voxel one for each.
  /// Pictures are PNG, JPEG or TIFF of 8 or 16 bits a channel (TIFF also float). They become volumes of one slice with
  /// the stored values, x to the right, y down. A pixel is 1 mm: a file's resolution is for print and seldom equal in
  /// image and mask. A palette is expanded. An alpha channel is dropped if it is constant.
  /// - Parameters:
  ///   - series: the series of a DICOM folder, as `DICOMSeries` takes it.
  ///   - count: the number of channels that the file must have; nil for any.
  /// - Throws: `Refusal` if the file is missing, damaged, of another format, or transparent in places.
  public static func channels(contentsOf url: URL, series: String? = nil, count: Int? = nil) throws -> [Image] {
    if holdsDICOM(url) { return [try Image(contentsOf: url, series: series)] }
    guard isPicture(url) else { return try ImageFile(url, channels: count).channels() }
    if count == 1 { return [try grey(contentsOf: url)] }
    let picture = try PictureFile(url)
    let channels = try images(of: picture, picture.read(), components: picture.componentCount)
    guard count.map({ $0 == channels.count }) ?? true else {
      throw Refusal(.image, url.path, "it is grey", detail: "expected a colour picture", remedy: "give such a picture")
    }
    return channels
  }

  /// Reads the channels that show a file: the colours of a picture, or the first channel of a volume.
  public static func shownChannels(contentsOf url: URL, series: String? = nil) throws -> [Image] {
    guard !isPicture(url), !holdsDICOM(url) else { return try channels(contentsOf: url, series: series) }
    return try ImageFile(url, channels: nil).channels(first: 1)
  }

  /// The number of channels that `channels(contentsOf:)` returns, from the header alone.
  public static func channelCount(contentsOf url: URL) throws -> Int {
    if isPicture(url) { return try PictureFile(url).componentCount > 2 ? 3 : 1 }
    return holdsDICOM(url) ? 1 : try ImageFile.shape(of: url).channels
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
