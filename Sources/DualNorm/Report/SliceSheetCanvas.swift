/// A colour of a sheet, 0 to 255 a channel.
struct SheetColor: Equatable {
  let red, green, blue: UInt8

  init(_ red: UInt8, _ green: UInt8, _ blue: UInt8) { (self.red, self.green, self.blue) = (red, green, blue) }

  static let paper = SheetColor(18, 20, 24)
  static let ink = SheetColor(235, 235, 235)
  static let faint = SheetColor(150, 154, 162)

  /// Okabe and Ito's palette (2008), told apart with every common colour blindness; it repeats after seven classes.
  static func ofClass(_ label: Int) -> SheetColor { classes[(label - 1) % classes.count] }

  private static let classes = [
    SheetColor(230, 159, 0), SheetColor(86, 180, 233), SheetColor(240, 228, 66), SheetColor(204, 121, 167),
    SheetColor(0, 158, 115), SheetColor(213, 94, 0), SheetColor(0, 114, 178),
  ]
}

/// Pixels to draw on, `(0, 0)` at the top left; what falls outside is not drawn.
struct SheetCanvas {
  let width, height: Int
  /// Red, green and blue of each pixel, row by row.
  private(set) var bytes: [UInt8]

  init(width: Int, height: Int) {
    (self.width, self.height) = (width, height)
    bytes = []
    bytes.reserveCapacity(3 * width * height)
    for _ in 0..<(width * height) {
      bytes.append(contentsOf: [SheetColor.paper.red, SheetColor.paper.green, SheetColor.paper.blue])
    }
  }

  subscript(x: Int, y: Int) -> SheetColor {
    get {
      let index = 3 * (y * width + x)
      return SheetColor(bytes[index], bytes[index + 1], bytes[index + 2])
    }
    set {
      guard 0..<width ~= x, 0..<height ~= y else { return }
      let index = 3 * (y * width + x)
      (bytes[index], bytes[index + 1], bytes[index + 2]) = (newValue.red, newValue.green, newValue.blue)
    }
  }

  mutating func fill(x: Int, y: Int, width: Int, height: Int, _ color: SheetColor) {
    for row in y..<(y + height) {
      for column in x..<(x + width) { self[column, row] = color }
    }
  }

  /// Draws a line of text with its top left corner at (x, y), each pixel of the font `scale` pixels wide.
  mutating func draw(_ text: String, x: Int, y: Int, scale: Int, _ color: SheetColor) {
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
