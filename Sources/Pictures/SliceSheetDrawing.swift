import MedicalImaging

/// The colours of a sheet: red, green, blue.
package enum SheetPalette {
  static let paper = SIMD3<UInt8>(18, 20, 24)
  static let ink = SIMD3<UInt8>(235, 235, 235)
  static let faintInk = SIMD3<UInt8>(150, 154, 162)

  /// A colour of Okabe and Ito's palette (2008), safe for every common colour blindness; repeats after seven classes.
  package static func color(ofClass label: Int) -> SIMD3<UInt8> { classes[(label - 1) % classes.count] }

  /// The number of colours before the palette repeats.
  package static var count: Int { classes.count }

  private static let classes: [SIMD3<UInt8>] = [
    [230, 159, 0], [86, 180, 233], [240, 228, 66], [204, 121, 167], [0, 158, 115], [213, 94, 0], [0, 114, 178],
  ]
}

extension RGBImage {
  /// Draws pixels from left to right, from one grey channel or red, green and blue; all must be inside.
  mutating func draw(_ channels: [[UInt8]], x: Int, y: Int) {
    let (red, green, blue) = (channels[0], channels[channels.count / 2], channels[channels.count - 1])
    precondition(0..<height ~= y && x >= 0 && x + red.count <= width, "pixels beyond \(width)×\(height)")
    var place = 3 * (y * width + x)
    pixels.withUnsafeMutableBufferPointer { pixels in
      for index in red.indices {
        (pixels[place], pixels[place + 1], pixels[place + 2]) = (red[index], green[index], blue[index])
        place += 3
      }
    }
  }

  /// Fills a rectangle, clipped to the canvas.
  mutating func fill(x: Int, y: Int, width: Int, height: Int, _ color: SIMD3<UInt8>) {
    for row in max(y, 0)..<max(min(y + height, self.height), max(y, 0)) {
      for column in max(x, 0)..<max(min(x + width, self.width), max(x, 0)) { self[column, row] = color }
    }
  }

  /// Draws a line of text with its top left corner at (x, y), each dot of the font `scale` pixels wide.
  mutating func draw(_ text: String, x: Int, y: Int, scale: Int, _ color: SIMD3<UInt8>) {
    for (position, character) in text.enumerated() {
      for (row, dots) in SheetFont.glyph(character).enumerated() {
        for (column, isInk) in dots.enumerated() where isInk {
          let left = x + (position * SheetFont.advance + column) * scale
          fill(x: left, y: y + row * scale, width: scale, height: scale, color)
        }
      }
    }
  }
}
