import Foundation

/// Writes the pickle of a `state_dict` (protocol 2), which `Unpickler` and `torch.load(weights_only=True)` read.
struct StatePickler {
  private var data = Data([0x80, 2])

  /// Returns the pickle of an OrderedDict. The numbers of tensor k lie in the record `data/k`.
  static func pickle(of tensors: [(name: String, tensor: StoredTensor)]) -> Data {
    var pickler = StatePickler()
    pickler.emptyDictionary()
    for (index, entry) in tensors.enumerated() {
      pickler.text(entry.name)
      pickler.tensor(entry.tensor, storage: index)
      pickler.code("s")  // SETITEM
    }
    pickler.code(".")  // STOP
    return pickler.data
  }

  /// A call of `_rebuild_tensor_v2`: storage, offset, shape, strides, requires_grad, hooks.
  private mutating func tensor(_ tensor: StoredTensor, storage: Int) {
    global("torch._utils", "_rebuild_tensor_v2")
    code("(")  // MARK
    code("(")
    text("storage")
    global("torch", tensor.dtype.torchStorage)
    text("\(storage)")
    text("cpu")
    number(tensor.data.count / tensor.dtype.byteCount)
    code("t")  // TUPLE
    code("Q")  // BINPERSID
    number(0)
    numbers(tensor.shape)
    numbers(tensor.contiguousStrides)
    data.append(0x89)  // NEWFALSE
    emptyDictionary()
    code("t")
    code("R")  // REDUCE
  }

  private mutating func emptyDictionary() {
    global("collections", "OrderedDict")
    code(")")  // EMPTY_TUPLE
    code("R")
  }

  private mutating func global(_ module: String, _ name: String) {
    code("c")  // GLOBAL
    data.append(contentsOf: "\(module)\n\(name)\n".utf8)
  }

  private mutating func text(_ text: String) {
    code("X")  // BINUNICODE
    data += Data(littleEndian: UInt32(text.utf8.count)) + Data(text.utf8)
  }

  private mutating func numbers(_ numbers: [Int]) {
    code("(")
    for number in numbers { self.number(number) }
    code("t")
  }

  private mutating func number(_ number: Int) {
    // LONG1 holds numbers of any size.
    data += Data([0x8A, 8]) + Data(littleEndian: Int64(number))
  }

  private mutating func code(_ code: Unicode.Scalar) { data.append(UInt8(ascii: code)) }
}

extension StoredTensor {
  /// The steps from a number to the next along each axis, in numbers. An empty axis counts as one, as in PyTorch.
  fileprivate var contiguousStrides: [Int] {
    var strides: [Int] = []
    var step = 1
    for length in shape.reversed() {
      strides.insert(step, at: 0)
      step &*= max(length, 1)  // no overflow beside an empty axis
    }
    return strides
  }
}
