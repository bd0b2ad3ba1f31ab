/// The named tensors of a network in the order of its layers: PyTorch's `state_dict`.
public final class Parameters {
  public struct Entry {
    public let name: String
    public let tensor: Tensor
    /// False for running statistics, which have no gradient.
    public let isTrainable: Bool
    /// Tells whether it is a weight of a convolution, which decays.
    public let isWeight: Bool
  }

  public private(set) var entries: [Entry] = []
  private var names: Set<String> = []

  /// The source of the initial values.
  let generator: Generator

  /// The tensors' device. Their initial values are the same on all devices.
  public let device: Device

  public init(seed: UInt64, device: Device = .cpu) {
    generator = Generator(seed: seed)
    self.device = device
  }

  public var trainable: [Entry] { entries.filter(\.isTrainable) }

  public subscript(name: String) -> Tensor? { entries.first { $0.name == name }?.tensor }

  /// The name of the first tensor with an infinity or NaN; nil without one.
  public var firstWithoutNumbers: String? {
    withoutGradients {
      // Zero times an infinity or NaN is NaN.
      entries.first { $0.tensor.type != .int64 && !($0.tensor * 0).sum().item.isFinite }?.name
    }
  }

  /// Takes a tensor under a name that no other has.
  func append(_ name: String, _ tensor: Tensor, isTrainable: Bool, isWeight: Bool) {
    precondition(names.insert(name).inserted, "two parameters are named \(name)")
    if isTrainable { tensor.requireGradient() }
    entries.append(Entry(name: name, tensor: tensor, isTrainable: isTrainable, isWeight: isWeight))
  }
}
