/// Intensities from `low` to `high`, such as −125 to 275 HU; `[low, high]` in files.
package struct IntensityWindow: Equatable, Hashable, Sendable {
  var low: Double
  var high: Double

  package init(low: Double, high: Double) {
    self.low = low
    self.high = high
  }
}

extension IntensityWindow: Codable {
  package init(from decoder: any Decoder) throws { (low, high) = try decoder.pair(of: Double.self) }

  package func encode(to encoder: any Encoder) throws { try [low, high].encode(to: encoder) }
}

/// The distance of a slice's pixels along x and y, in mm; `[x, y]` in files.
package struct PixelSpacing: Equatable, Hashable, Sendable {
  var x: Double
  var y: Double

  package init(x: Double, y: Double) {
    self.x = x
    self.y = y
  }
}

extension PixelSpacing: Codable {
  package init(from decoder: any Decoder) throws { (x, y) = try decoder.pair(of: Double.self) }

  package func encode(to encoder: any Encoder) throws { try [x, y].encode(to: encoder) }
}
