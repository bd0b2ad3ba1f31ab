import Basics

/// Intensities from `low` to `high`, such as −125 to 275 HU; `[low, high]` in files.
package struct IntensityWindow: NumberPair {
  package typealias Number = Double

  var low: Double
  var high: Double

  package init(_ low: Double, _ high: Double) { (self.low, self.high) = (low, high) }

  package static let expected = "two numbers, the lowest and highest intensity, for example -125,275"

  package var values: [Double] { [low, high] }
}

/// The distance of a slice's pixels along x and y, in mm; `[x, y]` in files.
package struct PixelSpacing: NumberPair {
  package typealias Number = Double

  var x: Double
  var y: Double

  package init(_ x: Double, _ y: Double) { (self.x, self.y) = (x, y) }

  package static let expected = "two numbers, x and y in mm, for example 0.6,0.6"

  package var values: [Double] { [x, y] }
}
