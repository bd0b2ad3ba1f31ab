/// The stages of nnU-Net's networks, which plans may choose freely.
package struct Stages: Codable, Equatable, Sendable {
  /// Tells whether the encoder has residual blocks (ResidualEncoderUNet) or units (PlainConvUNet).
  package var isResidual: Bool
  /// Channels of each level.
  package var channels: [Int]
  /// Units or residual blocks of each level of the encoder.
  package var encoder: [Int]
  /// Units of each step of the decoder, from the deepest level up.
  package var decoder: [Int]

  package init(isResidual: Bool, channels: [Int], encoder: [Int], decoder: [Int]) {
    (self.isResidual, self.channels, self.encoder, self.decoder) = (isResidual, channels, encoder, decoder)
  }

  /// nnU-Net's defaults: two units a stage, or its residual presets' blocks 1, 3, 4, 6, 6, … and one unit.
  ///
  /// - Parameter channels: of each level.
  init(defaultsOf channels: [Int], isResidual: Bool) {
    let blocks = [1, 3, 4]
    self.init(
      isResidual: isResidual, channels: channels,
      encoder: channels.indices.map { isResidual ? ($0 < blocks.count ? blocks[$0] : 6) : 2 },
      decoder: channels.dropLast().map { _ in isResidual ? 1 : 2 })
  }

  private enum CodingKeys: String, CodingKey {
    case isResidual = "residual"
    case channels, encoder, decoder
  }

  /// The weights of convolutions, but for the first of all and what residual blocks have beside these.
  func leastWeightCount(_ levels: Levels) -> Double {
    channels.indices.reduce(0) { sum, level in
      let kernel = Double(levels.kernels[level].reduce(1, *))
      let own = Double(channels[level])
      let inputs = level == 0 ? 0 : Double(channels[level - 1])
      let encoder = kernel * own * (inputs + Double(encoder[level] - 1) * own)
      guard level < levels.depth else { return sum + encoder }
      let pooling = Double(levels.poolings[level].reduce(1, *))
      let units = Double(decoder[levels.depth - 1 - level])
      return sum + encoder + pooling * own * Double(channels[level + 1]) + kernel * own * own * (units + 1)
    }
  }

  /// Tells whether they fit a network of `depth` poolings.
  func fit(depth: Int) -> Bool {
    channels.count == depth + 1 && encoder.count == depth + 1 && decoder.count == depth
      && channels.allSatisfy { (1...4096).contains($0) } && (encoder + decoder).allSatisfy { (1...32).contains($0) }
  }
}

/// The transformer of `TransUNet`.
package struct TransformerPlan: Equatable, Sendable {
  package var layers: Int
  /// They share the channels of the deepest level.
  package var heads: Int

  package init(layers: Int = 2, heads: Int = 4) { (self.layers, self.heads) = (layers, heads) }
}
