package import MedicalImaging

/// The range of values shown from black to white.
package struct SliceWindow: Equatable {
  let low, high: Float

  /// The 1st to the 99th percentile of the finite values of all slices, by nearest rank.
  ///
  /// A colour picture begins at 0 or below and has one window for all its channels, which preserves hue.
  package init(of rows: [SheetRow]) {
    self.init(of: rows.flatMap(\.channels), isColour: rows.contains { $0.channels.count > 1 })
  }

  private init(of channels: [[Float]], isColour: Bool) {
    let sorted = channels.joined().filter(\.isFinite).sorted()
    func percentile(_ share: Double) -> Float {
      sorted.isEmpty ? 0 : sorted[Int((share * Double(sorted.count - 1)).rounded())]
    }
    low = isColour ? min(percentile(0.01), 0) : percentile(0.01)
    high = percentile(0.99)
  }

  /// The window of a volume's channels, from at most a million of their voxels. Pixels without data are left out.
  package init(of channels: [Image]) {
    let step = max(1, channels[0].voxels.count >> 20)
    let sampled = channels.map { channel in
      stride(from: 0, to: channel.voxels.count, by: step).compactMap { place -> Float? in
        channel.noData?[place] == true ? nil : channel.voxels[place]
      }
    }
    self.init(of: sampled, isColour: channels.count > 1)
  }

  /// The shade of a value; NaN and infinite values are black.
  package func shade(_ value: Float) -> UInt8 {
    let shade = (value - low) / max(high - low, .leastNormalMagnitude)
    return UInt8((255 * min(max(shade.isFinite ? shade : 0, 0), 1)).rounded())
  }
}
