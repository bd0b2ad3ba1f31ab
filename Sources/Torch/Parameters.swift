/// The named tensors of a network in the order of its layers: PyTorch's `state_dict`.
public final class Parameters {
  public struct Entry {
    public let name: String
    public let tensor: Tensor
    /// False for running statistics, which have no gradient.
    public let isTrainable: Bool
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

  fileprivate func append(_ name: String, _ tensor: Tensor, isTrainable: Bool) {
    precondition(names.insert(name).inserted, "two parameters are named \(name)")
    if isTrainable { tensor.requireGradient() }
    entries.append(Entry(name: name, tensor: tensor, isTrainable: isTrainable))
  }
}

/// A layer's place in the network, which prefixes the names of its parameters.
public struct Scope {
  private let parameters: Parameters
  private let path: String

  public init(_ parameters: Parameters) {
    self.init(parameters, path: "")
  }

  private init(_ parameters: Parameters, path: String) {
    self.parameters = parameters
    self.path = path
  }

  /// The scope of a part, named as PyTorch names it: `scope / "mlp_shared" / "0"`.
  public static func / (scope: Scope, part: String) -> Scope {
    Scope(scope.parameters, path: scope.path.isEmpty ? part : "\(scope.path).\(part)")
  }

  /// The source of initial values, in the order of the layers.
  var generator: Generator { parameters.generator }

  /// Registers a trainable tensor.
  public func parameter(_ name: String, _ tensor: Tensor) -> Tensor {
    register(name, tensor, isTrainable: true)
  }

  /// Registers a tensor that is saved but not trained.
  public func buffer(_ name: String, _ tensor: Tensor) -> Tensor {
    register(name, tensor, isTrainable: false)
  }

  private func register(_ name: String, _ tensor: Tensor, isTrainable: Bool) -> Tensor {
    let tensor = tensor.moved(to: parameters.device)
    parameters.append((self / name).path, tensor, isTrainable: isTrainable)
    return tensor
  }
}

/// The choice of a forward pass's batch statistics.
public enum Mode {
  /// Batch statistics, which update the running ones.
  case training
  /// Running statistics.
  case evaluation
  /// Batch statistics, which are collected and leave the running ones as they are.
  case measurement(BatchStatistics)
}
