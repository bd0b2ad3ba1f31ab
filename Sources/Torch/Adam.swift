import CTorch

/// Adam (Kingma & Ba 2015) with PyTorch's defaults and arithmetic. A weight decay makes it AdamW (Loshchilov & Hutter
/// 2019).
///
/// A step skips parameters without a gradient and keeps their step count, as PyTorch does. So norms that a pass does not
/// use stay as they are.
public final class Adam {
  public var learningRate: Double {
    didSet { if learningRate != oldValue { together?.rate.fill(learningRate) } }
  }
  public let betas: (Double, Double) = (0.9, 0.999)
  public let epsilon = 1e-8
  /// The share by which every step shrinks the weights of convolutions, times the learning rate.
  ///
  /// Only weights of four dimensions decay. Biases and the scales and shifts of norms do not.
  public let weightDecay: Double
  private let fuses: Bool
  /// The step of all parameters at once, on a GPU.
  private let together: MultiTensorAdam?

  final class Moments {
    let name: String
    let parameter: Tensor
    let first: Tensor
    let second: Tensor
    let isWeight: Bool
    fileprivate var step = 0

    init(_ entry: Parameters.Entry) {
      name = entry.name
      parameter = entry.tensor
      first = entry.tensor.detached() * 0
      second = entry.tensor.detached() * 0
      isWeight = entry.isWeight
    }
  }
  let moments: [Moments]

  /// - Parameter fuses: whether a step is a fused loop, on a GPU over all parameters, or LibTorch's operations. They differ
  ///   by rounding.
  public convenience init(_ parameters: Parameters, learningRate: Double, weightDecay: Double = 0, fuses: Bool = true) {
    let device = parameters.device
    self.init(
      parameters, learningRate: learningRate, weightDecay: weightDecay, fuses: fuses,
      together: fuses && device != .cpu && device.reasonNotToFuse == nil)
  }

  init(_ parameters: Parameters, learningRate: Double, weightDecay: Double, fuses: Bool, together: Bool) {
    self.fuses = fuses
    self.learningRate = learningRate
    self.weightDecay = weightDecay
    moments = withoutGradients { parameters.trainable.map(Moments.init) }
    self.together =
      together ? MultiTensorAdam(count: moments.count, learningRate: learningRate, on: parameters.device) : nil
  }

  /// Tells whether a `Graph` can capture steps: everything that changes between steps is on the GPU.
  public var canBeNoted: Bool { together != nil }

  public func clearGradients() {
    for moment in moments { moment.parameter.clearGradient() }
  }

  /// Takes one step by the gradients, each element clipped to [−limit, limit]. The gradients do not change.
  public func step(clippingTo limit: Double = .infinity) {
    var settings = CTAdam(
      learning_rate: learningRate, beta1: betas.0, beta2: betas.1, epsilon: epsilon, weight_decay: weightDecay,
      limit: limit, plain: !fuses)
    if let together { return together.step(moments, settings) }
    for moment in moments {
      guard let gradient = moment.parameter.gradient else { continue }
      moment.step += 1
      settings.weight_decay = moment.isWeight ? weightDecay : 0
      checkTrap(
        ct_adam(
          moment.parameter.handle, gradient.handle, moment.first.handle, moment.second.handle, &settings,
          Int64(moment.step)))
    }
  }

  /// The step count of each of `moments`.
  var steps: [Int] {
    get { together.map { $0.steps.values(Double.self).map { Int($0) } } ?? moments.map(\.step) }
    set {
      together?.steps.assign(Tensor(newValue.map(Double.init), shape: [newValue.count]))
      for (moment, step) in zip(moments, newValue) { moment.step = step }
    }
  }
}

/// Adam's step of all parameters at once. Everything that changes between steps is on the GPU, so that a `Graph` can
/// capture a step.
private final class MultiTensorAdam {
  /// The learning rate: scalar, float64.
  let rate: Tensor
  /// Step counts: [parameters], float64.
  let steps: Tensor
  /// Masks (1 = has a gradient), cached by pattern.
  private var masks: [[Bool]: Tensor] = [:]

  init(count: Int, learningRate: Double, on device: Device) {
    rate = Tensor(repeating: learningRate, shape: [], type: .float64).moved(to: device)
    steps = Tensor(repeating: 0, shape: [count], type: .float64).moved(to: device)
  }

  func step(_ moments: [Adam.Moments], _ settings: CTAdam) {
    let gradients = moments.map(\.parameter.gradient)
    let has = gradients.map { $0 != nil }
    let mask = masks[has] ?? Tensor(has.map { $0 ? 1.0 : 0 }, shape: [has.count]).moved(to: steps.device)
    masks[has] = mask
    let tensors = moments.indices.compactMap { index in
      gradients[index].map {
        CTAdamTensors(
          parameter: moments[index].parameter.handle, gradient: $0.handle, first: moments[index].first.handle,
          second: moments[index].second.handle, place: index, decays: moments[index].isWeight)
      }
    }
    var settings = settings
    withExtendedLifetime(gradients) {
      checkTrap(ct_adam_multi_tensor(tensors, tensors.count, steps.handle, mask.handle, rate.handle, &settings))
    }
  }
}
