import Foundation
import MedicalImaging

/// A picture as part of a page's text.
enum Picture {
  /// Grey levels of a slice from `window.low` to `window.high`, each the mean over a square of `reduction` pixels.
  static func grey(_ image: [Float], width: Int, height: Int, window: (low: Float, high: Float), reduction: Int = 1)
    throws -> String
  {
    let (columns, rows) = ((width + reduction - 1) / reduction, (height + reduction - 1) / reduction)
    var pixels: [UInt8] = []
    pixels.reserveCapacity(columns * rows)
    let span = max(window.high - window.low, .leastNormalMagnitude)
    for row in 0..<rows {
      for column in 0..<columns {
        var (sum, count): (Float, Float) = (0, 0)
        for y in row * reduction..<min((row + 1) * reduction, height) {
          for x in column * reduction..<min((column + 1) * reduction, width) {
            sum += image[y * width + x]
            count += 1
          }
        }
        let shade = (sum / count - window.low) / span
        pixels.append(UInt8((255 * min(max(shade.isFinite ? shade : 0, 0), 1)).rounded()))
      }
    }
    return try dataURI(pixels, width: columns, height: rows, components: 1)
  }

  /// Values from −`limit` (blue) over 0 (white) to `limit` (red).
  static func diverging(_ values: [Float], width: Int, height: Int, limit: Float) throws -> String {
    try dataURI(values.flatMap { color(limit > 0 ? $0 / limit : 0) }, width: width, height: height, components: 3)
  }

  /// Red, green and blue of −1 to 1, in steps of a sixtieth, which make small files.
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
