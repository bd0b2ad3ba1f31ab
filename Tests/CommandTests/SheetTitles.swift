import Foundation
import MedicalImaging

@testable import Pictures

/// Tells whether a picture of slices has a title over a column.
func isTitled(_ title: String, _ png: URL) throws -> Bool {
  let picture = try Image.channels(contentsOf: png)
  let size = picture[0].geometry.size
  let scale = 2  // the text's in pictures with panels of 256 pixels
  var strip = RGBImage(
    width: title.count * SheetFont.advance * scale, height: SheetFont.height * scale, fill: SheetPalette.paper)
  strip.draw(title, x: 0, y: 0, scale: scale, SheetPalette.faintInk)
  return (0...size.x - strip.width).contains { left in
    (0..<strip.width * strip.height).allSatisfy { pixel in
      let (x, y) = (pixel % strip.width, pixel / strip.width)
      let place = (SheetLayout.margin + y) * size.x + left + x
      return (0..<3).allSatisfy { picture[$0].voxels[place] == Float(strip[x, y][$0]) }
    }
  }
}
