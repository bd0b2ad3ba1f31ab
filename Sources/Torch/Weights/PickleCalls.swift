// MARK: Calls of the globals that a pickle may refer to

extension Unpickler {
  mutating func pushGlobal(_ name: String) throws {
    guard let global = PickleGlobal(name) else {
      throw refusal(
        "refers to \(name.printable), which a checkpoint of weights has no need of",
        remedy: "nothing of it was executed, save the weights alone: torch.save(model.state_dict(), 'weights.pth')")
    }
    try push(.global(global))
  }

  /// Runs REDUCE, the call of a global.
  mutating func call(_ callee: PickleValue, with arguments: PickleValue) throws {
    guard case .global(let global) = callee, case .tuple(let index) = arguments else {
      throw damaged("\(callee.kind) cannot be called with \(arguments.kind)")
    }
    let arguments = heap.tuples[index]
    switch (global, arguments.count) {
    case (.orderedDict, 0): try pushDictionary()
    case (.set, 0...1): try push(.collection)
    case (.size, 1):
      guard case .tuple = arguments[0] else { fallthrough }
      try push(arguments[0])
    case (.unused, 0...3): try push(.scalar)
    case (.rebuildTensor, 6...7): try rebuildTensor(arguments)
    case (.rebuildParameter, 3):
      guard case .tensor = arguments[0] else { throw damaged("a parameter holds \(arguments[0].kind)") }
      try push(arguments[0])
    default: throw damaged("\(global.name) cannot be called with these \(arguments.count) arguments")
    }
  }

  /// Makes a view of (storage, offset, shape, strides, requires_grad, hooks[, extra state]).
  ///
  /// Only the first four matter. They are checked when the tensor is gathered.
  private mutating func rebuildTensor(_ arguments: [PickleValue]) throws {
    guard case .storage(let storage) = arguments[0], case .integer(let offset) = arguments[1],
      let shape = integers(arguments[2]), let strides = integers(arguments[3])
    else { throw damaged("the arguments of a tensor are not a storage, an offset, a shape and strides") }
    if arguments.count == 7, case .dictionary(let state) = arguments[6], let first = heap.dictionaries[state].first {
      let name = if case .string(let key) = first.key { key.printable } else { first.key.kind }
      throw refusal(
        "a tensor has the extra state '\(name)', which is not read",
        remedy: "save plain tensors, as clone() makes them")
    }
    try pushTensor(
      StridedTensor(storage: heap.storages[storage], offset: offset, shape: shape, strides: strides))
  }

  /// Makes a storage of ('storage', type, key, location, count), a record beside the pickle.
  mutating func pushPersistent(_ identifier: PickleValue) throws {
    guard case .tuple(let index) = identifier, heap.tuples[index].count == 5,
      case .string("storage") = heap.tuples[index][0], case .global(.storage(let dtype)) = heap.tuples[index][1],
      case .string(let key) = heap.tuples[index][2], case .integer(let count) = heap.tuples[index][4]
    else { throw damaged("a storage is not given as PyTorch gives it") }
    try pushStorage(TorchStorage(dtype: dtype, key: key, count: count))
  }

  private func integers(_ value: PickleValue) -> [Int]? {
    guard case .tuple(let index) = value else { return nil }
    var integers: [Int] = []
    for case .integer(let integer) in heap.tuples[index] { integers.append(integer) }
    return integers.count == heap.tuples[index].count ? integers : nil
  }
}
