/// The named tensors of a network, in the order in which its layers made them: PyTorch's `state_dict`.
public final class Parameters {
  public struct Entry {
    public let name: String
    public let tensor: Tensor
    /// False for running statistics, which no gradient reaches.
    public let isTrainable: Bool
  }

  public private(set) var entries: [Entry] = []
  private var names: Set<String> = []

  /// Draws the initial values.
  let generator: Generator

  /// Where the tensors are; their initial values are the same everywhere.
  public let device: Device

  public init(seed: UInt64, device: Device = .cpu) {
    generator = Generator(seed: seed)
    self.device = device
  }

  public var trainable: [Entry] { entries.filter(\.isTrainable) }

  public subscript(name: String) -> Tensor? { entries.first { $0.name == name }?.tensor }

  /// The name of the first tensor that holds an infinity or NaN; nil where all are numbers.
  public var firstWithoutNumbers: String? {
    withoutGradients {
      // Zero times each is 0, or NaN.
      entries.first { $0.tensor.type != .int64 && !($0.tensor * 0).sum().item.isFinite }?.name
    }
  }

  fileprivate func append(_ name: String, _ tensor: Tensor, isTrainable: Bool) {
    precondition(names.insert(name).inserted, "two parameters are named \(name)")
    if isTrainable { tensor.requireGradient() }
    entries.append(Entry(name: name, tensor: tensor, isTrainable: isTrainable))
  }
}

/// Where in the network a layer is made; prefixes the names of its parameters.
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

  /// Draws initial values, in the order in which the layers are made.
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

/// Which statistics the batch norms of a forward pass use.
public enum Mode {
  /// Those of the batch, which move the running ones.
  case training
  /// The running ones.
  case evaluation
  /// Those of the batch, which are noted and leave the running ones alone.
  case measurement(BatchStatistics)
}
