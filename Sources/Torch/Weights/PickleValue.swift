/// A value in a pickle of weights. Containers are indices into `PickleHeap`.
///
/// So a deep or circular pickle is neither walked nor freed recursively.
enum PickleValue {
  case none
  case bool(Bool)
  case integer(Int)
  case string(String)
  /// An unused value: a float, bytes, or an integer of more than 64 bits.
  case scalar
  /// A list or a set, without its contents.
  case collection
  case tuple(Int)
  case dictionary(Int)
  case global(PickleGlobal)
  case storage(Int)
  case tensor(Int)

  /// The kind with its article, for a sentence.
  var kind: String {
    switch self {
    case .none: "None"
    case .bool: "a truth value"
    case .integer: "a number"
    case .scalar: "a number or bytes"
    case .string: "a text"
    case .collection: "a list or set"
    case .tuple: "a tuple"
    case .dictionary: "a dictionary"
    case .global(let global): global.name
    case .storage: "a storage"
    case .tensor: "a tensor"
    }
  }
}

/// The only globals that a pickle of weights may refer to. They are never looked up: each is a case here.
enum PickleGlobal {
  case orderedDict, set, size, rebuildTensor, rebuildParameter
  /// Calls that make numbers, arrays and devices, which are read over: of numpy, codecs and torch.
  case unused(String)
  case storage(StoredType)

  init?(_ name: String) {
    switch name {
    case "collections.OrderedDict": self = .orderedDict
    case "__builtin__.set", "builtins.set": self = .set
    case "torch.Size": self = .size
    case "torch._utils._rebuild_tensor_v2": self = .rebuildTensor
    case "torch._utils._rebuild_parameter": self = .rebuildParameter
    case _ where Self.unused.contains(name): self = .unused(name)
    default:
      guard let type = Self.storages[name] else { return nil }
      self = .storage(type)
    }
  }

  var name: String {
    switch self {
    case .orderedDict: "collections.OrderedDict"
    case .set: "builtins.set"
    case .size: "torch.Size"
    case .rebuildTensor: "torch._utils._rebuild_tensor_v2"
    case .rebuildParameter: "torch._utils._rebuild_parameter"
    case .unused(let name): name
    case .storage(let type): "a storage of \(type.rawValue)"
    }
  }

  /// Globals beside tensors in checkpoints of whole trainings, such as nnU-Net's. Newer versions of numpy renamed its core.
  private static let unused: Set<String> = [
    "numpy.core.multiarray.scalar", "numpy._core.multiarray.scalar", "numpy.core.multiarray._reconstruct",
    "numpy._core.multiarray._reconstruct", "numpy.dtype", "numpy.ndarray", "_codecs.encode", "torch.device",
  ]

  private static let storages = Dictionary(
    uniqueKeysWithValues: StoredType.allCases.map { ("torch.\($0.torchStorage)", $0) })
}

extension StoredType {
  /// The class of PyTorch's module `torch` that stands for storages of this type in a pickle.
  var torchStorage: String {
    switch self {
    case .float64: "DoubleStorage"
    case .float32: "FloatStorage"
    case .float16: "HalfStorage"
    case .bfloat16: "BFloat16Storage"
    case .int64: "LongStorage"
    case .int32: "IntStorage"
    case .int16: "ShortStorage"
    case .int8: "CharStorage"
    case .uint8: "ByteStorage"
    case .bool: "BoolStorage"
    }
  }
}

/// The parts of a pickle, freed as a whole.
struct PickleHeap {
  var tuples: [[PickleValue]] = []
  var dictionaries: [[(key: PickleValue, value: PickleValue)]] = []
  var storages: [TorchStorage] = []
  var tensors: [StridedTensor] = []
}
