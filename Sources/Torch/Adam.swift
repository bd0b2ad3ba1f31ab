import CTorch

/// Adam (Kingma & Ba 2015) with PyTorch's defaults and arithmetic; with a weight decay AdamW (Loshchilov & Hutter 2019).
///
/// A parameter without a gradient is skipped and its step count stands still, as in PyTorch: the norms that a pass does
/// not use are not moved by it.
public final class Adam {
  public var learningRate: Double
  public let betas: (Double, Double) = (0.9, 0.999)
  public let epsilon = 1e-8
  /// Every step shrinks the weights of convolutions, of four dimensions, by this share times the learning rate; biases
  /// and the scales and shifts of norms, layer norm's [C, H, W] too, are spared.
  public let weightDecay: Double
  private let fuses: Bool

  final class Moments {
    let name: String
    let parameter: Tensor
    let first: Tensor
    let second: Tensor
    let isWeight: Bool
    var step = 0

    init(_ entry: Parameters.Entry) {
      name = entry.name
      parameter = entry.tensor
      first = entry.tensor.detached() * 0
      second = entry.tensor.detached() * 0
      isWeight = entry.tensor.shape.count == 4
    }
  }
  let moments: [Moments]

  /// - Parameter fuses: whether a step is one loop of ours on the CPU, or operations of LibTorch as on a GPU; they differ by
  ///   rounding.
  public init(_ parameters: Parameters, learningRate: Double, weightDecay: Double = 0, fuses: Bool = true) {
    self.fuses = fuses
    self.learningRate = learningRate
    self.weightDecay = weightDecay
    moments = withoutGradients { parameters.trainable.map(Moments.init) }
  }

  public func clearGradients() {
    for moment in moments { moment.parameter.clearGradient() }
  }

  /// One step by the gradients at hand, each first clipped to [−limit, limit], element by element. The gradients
  /// themselves stay as they are.
  public func step(clippingTo limit: Double = .infinity) {
    for moment in moments {
      guard let gradient = moment.parameter.gradient else { continue }
      moment.step += 1
      var settings = CTAdam(
        learning_rate: learningRate, beta1: betas.0, beta2: betas.1, epsilon: epsilon,
        weight_decay: moment.isWeight ? weightDecay : 0, limit: limit, plain: !fuses)
      checkTrap(
        ct_adam(
          moment.parameter.handle, gradient.handle, moment.first.handle, moment.second.handle, &settings,
          Int64(moment.step)))
    }
  }
}
