import Torch

/// The pre-activation residual U-Net of the paper: five levels, four poolings, two passes where it has dual blocks.
///
/// Parameters have the names, shapes, order and initial values of the authors' PyTorch code after
/// `torch.manual_seed(seed)`.
package final class DualNormUNet {
  let configuration: UNetConfiguration
  package let parameters: Parameters
  /// Of the convolutions; not part of the model, any network can be run in either.
  package var precision = Precision.float32
  /// Where it runs; nor is this part of the model.
  package var device: Device { parameters.device }
  /// Whether norm, ReLU and convolution run as one operation, with the same results but for rounding, or one by one as
  /// they read, as they always do where there are no such operations (`Device.reasonNotToFuse`).
  package var fusesOperations = true

  private let input: Conv2d
  private let inputBlock: ResidualBlock
  private let down: [Down]
  private let middle: ResidualBlock
  private let up: [Up]
  private let output: Output
  /// Of up3, up2 and up1, where the configuration asks for deep supervision.
  private let coarseOutputs: [Output]

  /// Begins the names of the outputs that only training looks at.
  static let coarsePrefix = "coarse"

  /// - Throws: `InputError` for a configuration that no network can have.
  package init(_ configuration: UNetConfiguration, seed: UInt64, device: Device = .cpu) throws {
    try configuration.validate()
    self.configuration = configuration
    parameters = Parameters(seed: seed, device: device)
    let scope = Scope(parameters)
    let widths = (0..<5).map { configuration.width << $0 }
    func block(_ name: BlockName, _ channels: Int) -> ResidualBlock {
      ResidualBlock(scope / name.rawValue / "block", name, channels: channels, configuration: configuration)
    }
    input = Conv2d(scope / "inc" / "conv" / "0", configuration.inputChannels, widths[0], kernel: 1)
    inputBlock = block(.inc, widths[0])
    down = zip(1..., [BlockName.down1, .down2, .down3, .down4]).map { level, name in
      Down(scope / name.rawValue, name, widths[level - 1], widths[level], configuration)
    }
    middle = block(.mid, widths[4])
    up = zip(1..., [BlockName.up1, .up2, .up3, .up4]).map { step, name in
      Up(scope / name.rawValue, name, widths[5 - step], widths[4 - step], configuration)
    }
    output = Output(scope / "outc", widths[0], level: 0, configuration)
    let supervised = configuration.deepSupervision ? [1, 2, 3] : []
    coarseOutputs = supervised.map { level in
      Output(scope / "\(Self.coarsePrefix)\(level)", widths[level], level: level, configuration)
    }
  }

  /// images [N, inputChannels, H, W] -> logits [N, classes, H, W] of the middle slice.
  ///
  /// Without a mask this is the first pass; with one, [N, classes, H, W], the dual blocks use their region-wise norms.
  /// Domain-specific batch norm of several sites needs to know the site of each row.
  func callAsFunction(_ images: Tensor, mask: Tensor? = nil, sites: SiteRows? = nil, _ mode: Mode) -> Tensor {
    logits(images, mask: mask, sites: sites, mode).full
  }

  /// Whether this network takes the fused operations where it runs.
  var fuses: Bool { fusesOperations && device.reasonNotToFuse == nil }

  func logits(_ images: Tensor, mask: Tensor?, sites: SiteRows?, _ mode: Mode) -> PassLogits {
    let mask = mask.map { MaskLevels($0, configuration.maskKind) }
    let context = ForwardContext(mask: mask, sites: sites, mode: mode, fuses: fuses)
    let levels = withPrecision(precision, on: device) { logits(images, context) }.map { $0.converted(to: .float32) }
    return PassLogits(
      full: levels[0],
      coarse: levels.dropFirst().map { $0.resizedBilinear(height: images.size(2), width: images.size(3)) })
  }

  /// Full size first, then, in training with deep supervision, what up3, up2 and up1 say.
  private func logits(_ images: Tensor, _ context: ForwardContext) -> [Tensor] {
    var x = inputBlock(context.fuses ? input.fused(images) : input(images), context)
    var skips: [Tensor] = []
    for down in self.down {
      skips.append(x)
      x = down(x, context)
    }
    x = middle(x, context)
    var levels: [Tensor] = []
    for up in self.up {
      x = up(x, skip: skips.removeLast(), context)
      // A prediction keeps no level longer than it is needed.
      if case .training = context.mode { levels.insert(x, at: 0) }
    }
    return [output(x, context)] + zip(coarseOutputs, levels.dropFirst()).map { $0($1, context) }
  }
}

/// What a pass says of the classes of each pixel.
package struct PassLogits {
  /// [N, classes, H, W]
  package let full: Tensor
  /// The same of the coarser levels, enlarged to full size, the finest first: in training with deep supervision only.
  var coarse: [Tensor] = []
}

extension DualNormUNet {
  /// The residual blocks by name, in the order of `BlockName`.
  var blocks: [(name: BlockName, block: ResidualBlock)] {
    let blocks = [inputBlock] + down.map(\.block) + [middle] + up.map(\.block)
    return zip(BlockName.allCases, blocks).map { (name: $0, block: $1) }
  }
}

/// Pool by 2, convolve to more channels, residual block.
private struct Down {
  let convolution: Conv2d
  let block: ResidualBlock

  init(_ scope: Scope, _ name: BlockName, _ inputs: Int, _ outputs: Int, _ configuration: UNetConfiguration) {
    convolution = Conv2d(scope / "maxpool_conv" / "1", inputs, outputs, kernel: 3, padding: 1)
    block = ResidualBlock(scope / "block", name, channels: outputs, configuration: configuration)
  }

  func callAsFunction(_ x: Tensor, _ context: ForwardContext) -> Tensor {
    block(context.fuses ? convolution.fused(x.halvedByMaximum()) : convolution(x.maxPooled(2)), context)
  }
}

/// Norm, ReLU, double the size; join with the skip connection; convolve to fewer channels, residual block.
private struct Up {
  let norm: NormLayer
  let doubling: DoublingConvTranspose2d
  let convolution: Conv2d
  let block: ResidualBlock

  init(_ scope: Scope, _ name: BlockName, _ inputs: Int, _ outputs: Int, _ configuration: UNetConfiguration) {
    let upsampling = scope / "up" / "up"
    norm = NormLayer(upsampling / "0", channels: inputs, level: name.level + 1, configuration: configuration)
    doubling = DoublingConvTranspose2d(upsampling / "2", inputs, inputs / 2)
    convolution = Conv2d(scope / "conv" / "0", inputs, outputs, kernel: 3, padding: 1)
    block = ResidualBlock(scope / "block", name, channels: outputs, configuration: configuration)
  }

  func callAsFunction(_ x: Tensor, skip: Tensor, _ context: ForwardContext) -> Tensor {
    let larger = norm.rectified(x, by: doubling, context)
    // Pooling an odd size drops a row or column; the skip connection still has it.
    let missing = (height: skip.size(2) - larger.size(2), width: skip.size(3) - larger.size(3))
    let fitted =
      missing == (0, 0)
      ? larger
      : larger.padded(
        top: missing.height / 2, bottom: missing.height - missing.height / 2, left: missing.width / 2,
        right: missing.width - missing.width / 2)
    let joined =
      context.fuses ? convolution.fused(skip, fitted) : convolution(.concatenate([skip, fitted], dimension: 1))
    return block(joined, context)
  }
}

/// Norm, ReLU, 1×1 convolution to the classes.
private struct Output {
  let norm: NormLayer
  let convolution: Conv2d

  init(_ scope: Scope, _ inputs: Int, level: Int, _ configuration: UNetConfiguration) {
    norm = NormLayer(scope / "conv" / "0", channels: inputs, level: level, configuration: configuration)
    convolution = Conv2d(scope / "conv" / "2", inputs, configuration.classes, kernel: 1)
  }

  func callAsFunction(_ x: Tensor, _ context: ForwardContext) -> Tensor {
    norm.rectified(x, by: convolution, context)
  }
}
