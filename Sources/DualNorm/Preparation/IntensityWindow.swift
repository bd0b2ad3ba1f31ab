/// Intensities from `low` to `high`, such as −125 to 275 HU.
package struct IntensityWindow: Equatable, Hashable, Sendable {
  var low: Double
  var high: Double

  package init(low: Double, high: Double) {
    self.low = low
    self.high = high
  }
}
