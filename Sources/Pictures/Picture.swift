import Foundation
import MedicalImaging

/// Pictures embedded in a page as data URIs.
package enum Picture {
  /// Renders a slice in grey or colour, averaging each square of `reduction` × `reduction` pixels.
  ///
  /// - Parameter channels: one, or red, green and blue.
  package static func slice(_ channels: [[Float]], width: Int, height: Int, window: SliceWindow, reduction: Int = 1)
    throws -> String
  {
    let (columns, rows) = ((width + reduction - 1) / reduction, (height + reduction - 1) / reduction)
    var pixels: [UInt8] = []
    pixels.reserveCapacity(columns * rows * channels.count)
    for row in 0..<rows {
      for column in 0..<columns {
        for channel in channels {
          var (sum, count): (Float, Float) = (0, 0)
          for y in row * reduction..<min((row + 1) * reduction, height) {
            for x in column * reduction..<min((column + 1) * reduction, width) {
              sum += channel[y * width + x]
              count += 1
            }
          }
          pixels.append(window.shade(sum / count))
        }
      }
    }
    return try dataURI(pixels, width: columns, height: rows, components: channels.count)
  }

  /// Renders values from −`limit` (blue) over 0 (white) to `limit` (red).
  package static func diverging(_ values: [Float], width: Int, height: Int, limit: Float) throws -> String {
    try dataURI(values.flatMap { color(limit > 0 ? $0 / limit : 0) }, width: width, height: height, components: 3)
  }

  /// Maps −1 to 1 to red, green and blue, in steps of a sixtieth, which keep files small.
  static func color(_ share: Float) -> [UInt8] {
    let share = (min(max(share.isFinite ? share : 0, -1), 1) * 60).rounded() / 60
    let end: [Float] = share < 0 ? [33, 102, 172] : [178, 24, 43]
    return end.map { UInt8((247 + ($0 - 247) * abs(share)).rounded()) }
  }

  private static func dataURI(_ pixels: [UInt8], width: Int, height: Int, components: Int) throws -> String {
    "data:image/png;base64,"
      + (try pngData(pixels, width: width, height: height, components: components)).base64EncodedString()
  }
}
