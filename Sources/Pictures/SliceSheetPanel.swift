import MedicalImaging

/// Draws an enlarged slice with label outlines at one place of a canvas.
struct SheetPanel {
  let row: SheetRow
  let x, y: Int
  /// Canvas pixels per pixel of the slice.
  let scale: Int

  var width: Int { row.width * scale }
  var height: Int { SheetPanel.height(of: row, scale: scale) }

  static func height(of row: SheetRow, scale: Int) -> Int {
    max(1, Int((Double(row.height * scale) * row.pixelAspect).rounded()))
  }

  /// The thickness of an outline, in canvas pixels.
  private var thickness: Int { scale >= 3 ? 2 : 1 }

  /// Draws the image in grey or colour, bilinear between pixel centres.
  func drawImage(on canvas: inout RGBImage) {
    let window = SliceWindow(of: [row])
    let (width, columns) = (width, row.width)
    let places = (0..<width).map { SheetPanel.neighbours($0, of: width, in: columns) }
    for v in 0..<height {
      let (top, bottom, down) = SheetPanel.neighbours(v, of: height, in: row.height)
      let shades = row.channels.map { channel in
        channel.withUnsafeBufferPointer { channel in
          places.map { left, right, across in
            let above = mix(channel[top * columns + left], channel[top * columns + right], across)
            let below = mix(channel[bottom * columns + left], channel[bottom * columns + right], across)
            return window.shade(mix(above, below, down))
          }
        }
      }
      canvas.draw(shades, x: x, y: y + v)
    }
  }

  /// Draws the inner border of each class in its colour.
  func drawOutlines(of labels: [UInt8], on canvas: inout RGBImage) {
    forEachBorderPixel(of: labels) { u, v, label in canvas[x + u, y + v] = SheetPalette.color(ofClass: Int(label)) }
  }

  /// Draws the inner border of each class dashed in black and white, visible on every grey.
  func drawDashedOutlines(of labels: [UInt8], on canvas: inout RGBImage) {
    forEachBorderPixel(of: labels) { u, v, _ in canvas[x + u, y + v] = SheetPanel.dash(u, v, thickness: thickness) }
  }

  /// Black and white dashes of one length along any line except where u + v is constant.
  static func dash(_ u: Int, _ v: Int, thickness: Int) -> SIMD3<UInt8> {
    (u / thickness + v / thickness) % 4 < 2 ? SIMD3(repeating: 255) : SIMD3(repeating: 0)
  }

  /// Visits the enlarged pixels of each class that have another label within `thickness` along an axis.
  private func forEachBorderPixel(of labels: [UInt8], _ body: (Int, Int, UInt8) -> Void) {
    let (width, height, margin) = (width, height, thickness)
    // Enlarged labels with a margin of background.
    let stride = width + 2 * margin
    var enlarged = [UInt8](repeating: 0, count: stride * (height + 2 * margin))
    for v in 0..<height {
      let source = min(v * row.height / height, row.height - 1) * row.width
      var place = (v + margin) * stride + margin
      for label in labels[source..<source + row.width] {
        if label != 0 { for u in place..<place + scale { enlarged[u] = label } }
        place += scale
      }
    }
    enlarged.withUnsafeBufferPointer { enlarged in
      for v in 0..<height {
        let start = (v + margin) * stride + margin
        for u in 0..<width where enlarged[start + u] != 0 {
          let (place, own) = (start + u, enlarged[start + u])
          for step in 1...margin
          where enlarged[place - step] != own || enlarged[place + step] != own
            || enlarged[place - step * stride] != own || enlarged[place + step * stride] != own
          {
            body(u, v, own)
            break
          }
        }
      }
    }
  }

  /// The two pixels around an enlarged pixel's centre and the second one's weight; edges repeat.
  private static func neighbours(_ position: Int, of enlarged: Int, in count: Int) -> (Int, Int, Float) {
    let place = (Double(position) + 0.5) * Double(count) / Double(enlarged) - 0.5
    let low = place.rounded(.down)
    let clamp = { (index: Int) in min(max(index, 0), count - 1) }
    return (clamp(Int(low)), clamp(Int(low) + 1), Float(place - low))
  }

  private func mix(_ a: Float, _ b: Float, _ weight: Float) -> Float { a + (b - a) * weight }
}
