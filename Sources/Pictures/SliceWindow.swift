/// The range of values shown from black to white.
package struct SliceWindow: Equatable {
  let low, high: Float

  /// The 1st to the 99th percentile of the finite values of all slices, by nearest rank.
  ///
  /// A colour picture begins at 0 or below and has one window for all its channels, which preserves hue.
  package init(of rows: [SheetRow]) {
    let sorted = rows.flatMap { $0.channels.joined() }.filter(\.isFinite).sorted()
    func percentile(_ share: Double) -> Float {
      sorted.isEmpty ? 0 : sorted[Int((share * Double(sorted.count - 1)).rounded())]
    }
    let isColour = rows.contains { $0.channels.count > 1 }
    low = isColour ? min(percentile(0.01), 0) : percentile(0.01)
    high = percentile(0.99)
  }

  /// The shade of a value; NaN and infinite values are black.
  package func shade(_ value: Float) -> UInt8 {
    let shade = (value - low) / max(high - low, .leastNormalMagnitude)
    return UInt8((255 * min(max(shade.isFinite ? shade : 0, 0), 1)).rounded())
  }
}
