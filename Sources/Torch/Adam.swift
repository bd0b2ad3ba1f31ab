import CTorch

/// Adam (Kingma & Ba 2015) with PyTorch's defaults and arithmetic; with a weight decay AdamW (Loshchilov & Hutter 2019).
///
/// A parameter without a gradient is skipped and its step count stands still, as in PyTorch: the norms that a pass does
/// not use are not moved by it.
public final class Adam {
  public var learningRate: Double {
    didSet { if learningRate != oldValue { together?.rate.fill(learningRate) } }
  }
  public let betas: (Double, Double) = (0.9, 0.999)
  public let epsilon = 1e-8
  /// Every step shrinks the weights of convolutions, of four dimensions, by this share times the learning rate; biases
  /// and the scales and shifts of norms, layer norm's [C, H, W] too, are spared.
  public let weightDecay: Double
  private let fuses: Bool
  /// Where all parameters take a step together: on a GPU.
  private let together: AdamTogether?

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
      isWeight = entry.tensor.shape.count == 4
    }
  }
  let moments: [Moments]

  /// - Parameter fuses: whether a step is a loop of ours, or on a GPU one of all parameters, or operations of LibTorch; they
  ///   differ by rounding.
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
      together ? AdamTogether(count: moments.count, learningRate: learningRate, on: parameters.device) : nil
  }

  /// Whether steps can be part of a `Graph`: all that changes from one to the next is on the GPU.
  public var canBeNoted: Bool { together != nil }

  public func clearGradients() {
    for moment in moments { moment.parameter.clearGradient() }
  }

  /// One step by the gradients at hand, each first clipped to [−limit, limit], element by element. The gradients
  /// themselves stay as they are.
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

  /// The steps that each of `moments` has taken.
  var steps: [Int] {
    get { together.map { $0.steps.values(Double.self).map { Int($0) } } ?? moments.map(\.step) }
    set {
      together?.steps.assign(Tensor(newValue.map(Double.init), shape: [newValue.count]))
      for (moment, step) in zip(moments, newValue) { moment.step = step }
    }
  }
}

/// Adam's step of all parameters at once. What changes from step to step is on the GPU, so that a step can be part of a
/// `Graph`.
private final class AdamTogether {
  /// Scalar, float64.
  let rate: Tensor
  /// [parameters], float64
  let steps: Tensor
  /// 1 at the parameters that have a gradient, by which ones these are.
  private var moved: [[Bool]: Tensor] = [:]

  init(count: Int, learningRate: Double, on device: Device) {
    rate = Tensor(repeating: learningRate, shape: [], type: .float64).moved(to: device)
    steps = Tensor(repeating: 0, shape: [count], type: .float64).moved(to: device)
  }

  func step(_ moments: [Adam.Moments], _ settings: CTAdam) {
    let gradients = moments.map(\.parameter.gradient)
    let has = gradients.map { $0 != nil }
    let moved =
      self.moved[has] ?? Tensor(has.map { $0 ? 1.0 : 0 }, shape: [has.count]).moved(to: steps.device)
    self.moved[has] = moved
    let tensors = moments.indices.compactMap { index in
      gradients[index].map {
        CTAdamTensors(
          parameter: moments[index].parameter.handle, gradient: $0.handle, first: moments[index].first.handle,
          second: moments[index].second.handle, place: index, decays: moments[index].isWeight)
      }
    }
    var settings = settings
    withExtendedLifetime(gradients) {
      checkTrap(ct_adam_together(tensors, tensors.count, steps.handle, moved.handle, rate.handle, &settings))
    }
  }
}
