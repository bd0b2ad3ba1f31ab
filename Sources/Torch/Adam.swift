import Foundation

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

  public init(_ parameters: Parameters, learningRate: Double, weightDecay: Double = 0) {
    self.learningRate = learningRate
    self.weightDecay = weightDecay
    moments = withoutGradients { parameters.trainable.map(Moments.init) }
  }

  public func clearGradients() {
    for moment in moments { moment.parameter.clearGradient() }
  }

  /// Clips every gradient to [−limit, limit], element by element.
  public func clipGradients(toValue limit: Double) {
    for moment in moments { moment.parameter.gradient?.clamp(to: -limit...limit) }
  }

  public func step() {
    withoutGradients {
      for moment in moments {
        if let gradient = moment.parameter.gradient { update(moment, gradient) }
      }
    }
  }

  private func update(_ state: Moments, _ gradient: Tensor) {
    state.step += 1
    if weightDecay > 0, state.isWeight { state.parameter.multiply(by: 1 - learningRate * weightDecay) }
    state.first.lerp(to: gradient, weight: 1 - betas.0)
    state.second.multiply(by: betas.1)
    state.second.addProduct(gradient, gradient, scale: 1 - betas.1)
    let correction1 = 1 - pow(betas.0, Double(state.step))
    let correction2 = 1 - pow(betas.1, Double(state.step))
    let denominator = state.second.squareRoot() / correction2.squareRoot()
    denominator.add(epsilon)
    state.parameter.addQuotient(state.first, denominator, scale: -learningRate / correction1)
  }
}
