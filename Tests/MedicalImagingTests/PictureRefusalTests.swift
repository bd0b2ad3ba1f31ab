import Basics
import Foundation
import MedicalImaging
import Testing

/// The exact sentence of each refusal.
@Suite struct PictureRefusalTests {
  static let copy = "it is cut short or damaged: copy it again from its source."

  @Test(arguments: [
    (
      "pages.tif",
      "it has 3 pages; expected one: save each page as a file of its own, or a stack of slices as NIfTI."
    ),
    (
      "int32.tif",
      "its values are unsigned integers of 32 bits; expected unsigned integers of 8 or 16 bits, or floats of 32: "
        + "convert it."
    ),
    ("tiles.tif", "its pixels are stored in tiles; expected strips: save it without tiles."),
    (
      "planes.tif",
      "its colours are stored in planes of their own; expected pixel by pixel: save it with planar configuration "
        + "\"contig\"."
    ),
    (
      "turned.tif",
      "its orientation tag is 3, by which viewers turn or mirror it; expected 1: save it as it is to be seen, and check "
        + "that its mask lies on it."
    ),
    (
      "turned.jpg",
      "its orientation tag is 6, by which viewers turn or mirror it; expected 1: save it as it is to be seen, and check "
        + "that its mask lies on it."
    ),
    (
      "cmyk.jpg",
      "it has 4 components of 8 bits; expected 1 (grey) or 3 (colour) of 8: convert it to RGB."
    ),
    (
      "transparent.png",
      "it is transparent in places; expected none or the same transparency everywhere: flatten it onto a background."
    ),
    ("rgb8.png", "it is in colour; expected one number a pixel: convert it to grey."),
    ("huge.png", "its header promises 1048576×1048576 pixels, more than a file of 65 bytes holds; \(copy)"),
    ("huge.jpg", "its header promises 65535×65535 pixels, more than a file of 377 bytes holds; \(copy)"),
    ("huge.tif", "its header promises 1048576×1048576 pixels, more than a file of 373 bytes holds; \(copy)"),
  ]) func refusesOtherKinds(name: String, reason: String) throws {
    try expect(picture(name), reason)
  }

  @Test(arguments: [
    ("float.tif", "voxel (0, 0, 0) is 143.75; labels must be whole numbers from 0 to 65535: is this an image?"),
    (
      "mask-coloured.png",
      "pixel (6, 0) has the colour (200, 0, 0); labels must be grey values or a palette's indices: give each colour a "
        + "number from 0 to 255."
    ),
    (
      "grey.jpeg", "a JPEG cannot hold labels, because its compression changes them; save the mask as PNG."
    ),
  ]) func refusesOtherMasks(name: String, reason: String) throws {
    let url = picture(name)
    #expect(throws: Refusal(.image, sentence: "\(url.path): \(reason)")) { try LabelMap(contentsOf: url) }
  }

  @Test(arguments: ["rgb8.png", "palette.png", "rgb.jpg", "progressive.jpg", "rgb8.tif", "rgb16.tiff", "grey8.tif"])
  func refusesFilesCutShort(name: String) throws {
    try withFolder { folder in
      let whole = try Data(contentsOf: picture(name))
      for length in stride(from: 1, to: whole.count - 2, by: max(1, whole.count / 40)) {
        let url = folder.appendingPathComponent(name)
        try whole.prefix(length).write(to: url)
        // A TIFF's pixels may lie before its last bytes.
        guard let error = error(reading: url) else {
          let expected = try Image.channels(contentsOf: picture(name))
          #expect(try name.contains("tif") && Image.channels(contentsOf: url) == expected)
          continue
        }
        #expect(error.hasPrefix("\(url.path): it"), "\(length) of \(whole.count) bytes")
      }
    }
  }

  @Test func saysWhatIsDamaged() throws {
    try withFolder { folder in
      let png = try Data(contentsOf: picture("rgb8.png"))
      let url = folder.appendingPathComponent("a.png")
      try png.dropLast(20).write(to: url)
      try expect(url, "its pixels cannot be read (it ends too early); \(Self.copy)")
      var damaged = png
      damaged[60] ^= 1
      try damaged.write(to: url)
      try expect(url, "its pixels cannot be read (damaged pixels); \(Self.copy)")
      damaged = png
      damaged[png.count - 13] ^= 1
      try damaged.write(to: url)
      try expect(url, "its pixels cannot be read (a wrong checksum); \(Self.copy)")
      damaged[20] ^= 1
      try damaged.write(to: url)
      try expect(url, "its header cannot be read (a wrong checksum); export it again as PNG.")
      try Data("no picture".utf8).write(to: url)
      try expect(url, "its header cannot be read (it does not begin as a PNG); export it again as PNG.")
      let jpeg = folder.appendingPathComponent("a.jpg")
      try png.write(to: jpeg)
      try expect(jpeg, "its header cannot be read (it is no JPEG); export it again as PNG.")
      try Data(contentsOf: picture("rgb.jpg")).dropLast(2).write(to: jpeg)
      try expect(jpeg, "it ends before its last pixel; it is cut short: copy it again from its source.")
      let tiff = folder.appendingPathComponent("a.tif")
      try png.write(to: tiff)
      try expect(tiff, "its header cannot be read (it is no TIFF); export it again as PNG.")
      try expect(folder.appendingPathComponent("none.png"), "there is no such file; check the path.")
    }
  }

  @Test func everyIndexHasAColour() throws {
    let url = picture("palette-short.png")
    let error = Refusal(
      .image,
      sentence: "\(url.path): its pixels cannot be read (a pixel that the palette has no colour for); \(Self.copy)")
    #expect(throws: error) { try Image.channels(contentsOf: url) }
    #expect(throws: error) { try LabelMap(contentsOf: url) }
  }

  /// JPEG and TIFF have no checksum, so damage may pass unnoticed; nothing may crash.
  @Test(arguments: ["rgb8-interlaced.png", "palette-transparent.png", "turned.jpg", "rgb16.tiff", "big.tif"])
  func noDamageCrashes(name: String) throws {
    try withFolder { folder in
      let whole = [UInt8](try Data(contentsOf: picture(name)))
      let url = folder.appendingPathComponent(name)
      var state: UInt64 = 11
      func random() -> Int {
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return Int(state >> 33)
      }
      var refused = 0
      for _ in 0..<150 {
        var bytes = whole
        for _ in 0...(random() % 3) { bytes[random() % bytes.count] = UInt8(random() & 255) }
        try Data(bytes).write(to: url)
        if error(reading: url) != nil { refused += 1 }
        _ = try? LabelMap(contentsOf: url)
      }
      #expect(refused > 0)
    }
  }

  private func error(reading url: URL) -> String? {
    do {
      _ = try Image.channels(contentsOf: url)
      return nil
    } catch {
      return "\(error)"
    }
  }

  private func expect(_ url: URL, _ reason: String) throws {
    #expect(throws: Refusal(.image, sentence: "\(url.path): \(reason)")) { try Image(contentsOf: url) }
  }
}
