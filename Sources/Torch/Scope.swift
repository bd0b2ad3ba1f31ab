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

  /// Registers the weight of a convolution.
  func weight(_ tensor: Tensor) -> Tensor { register("weight", tensor, isTrainable: true, isWeight: true) }

  /// Registers a tensor that is saved but not trained.
  public func buffer(_ name: String, _ tensor: Tensor) -> Tensor {
    register(name, tensor, isTrainable: false)
  }

  private func register(_ name: String, _ tensor: Tensor, isTrainable: Bool, isWeight: Bool = false) -> Tensor {
    let tensor = tensor.moved(to: parameters.device)
    parameters.append((self / name).path, tensor, isTrainable: isTrainable, isWeight: isWeight)
    return tensor
  }
}
