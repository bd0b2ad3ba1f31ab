import Basics
import Foundation

/// Reads a checkpoint's pickle (protocols 2 to 4, https://docs.python.org/3/library/pickletools.html).
///
/// It runs nothing: a global that the pickle refers to is a case of `PickleGlobal` or refused.
struct Unpickler {
  /// Limits far above the need of real checkpoints: about 40 instructions per tensor, and 20 per number of a log.
  private static let maximumBytes = 64 << 20
  private static let maximumInstructions = 16_000_000
  private static let maximumStack = 100_000
  private static let maximumMarks = 100

  private let file: InputFile
  var reader: ByteReader
  private(set) var heap = PickleHeap()
  private var stack: [PickleValue] = []
  /// The stack heights where open groups begin.
  private var marks: [Int] = []
  private var memo: [UInt32: PickleValue] = [:]
  private var instructionStart = 0

  /// Returns the value that `pickle` leaves, and the heap it refers to.
  ///
  /// - Parameter limit: the most instructions.
  static func value(
    of pickle: Data, in file: InputFile, limit: Int = Self.maximumInstructions
  ) throws -> (PickleValue, PickleHeap) {
    guard pickle.count <= maximumBytes else {
      throw file.refusal("its data.pkl has \(pickle.count) bytes, where \(maximumBytes) are the most")
    }
    var unpickler = Unpickler(file: file, reader: ByteReader(pickle))
    for _ in 0..<limit {
      unpickler.instructionStart = unpickler.reader.position
      let code = try unpickler.need(unpickler.reader.byte())
      if code == UInt8(ascii: ".") { return (try unpickler.pop(), unpickler.heap) }
      try unpickler.execute(code)
    }
    throw file.refusal("its data.pkl has more than \(limit) instructions, the most for weights")
  }

  private init(file: InputFile, reader: ByteReader) {
    self.file = file
    self.reader = reader
  }

  // MARK: Errors

  func damaged(_ why: String) -> Refusal {
    file.refusal("its data.pkl is wrong at byte \(instructionStart) (\(why))", detail: "the file is damaged")
  }

  func refusal(_ found: String, remedy: String) -> Refusal { file.refusal(found, remedy: remedy) }

  func need<Value>(_ value: Value?) throws -> Value {
    guard let value else { throw damaged("it ends early") }
    return value
  }

  // MARK: Stack

  mutating func push(_ value: PickleValue) throws {
    guard stack.count < Self.maximumStack else { throw damaged("more than \(Self.maximumStack) values are open") }
    stack.append(value)
  }

  mutating func pop() throws -> PickleValue {
    guard stack.count > marks.last ?? 0, let value = stack.popLast() else { throw damaged("a value is missing") }
    return value
  }

  mutating func pop(_ count: Int) throws -> [PickleValue] {
    guard stack.count - count >= marks.last ?? 0 else { throw damaged("a value is missing") }
    defer { stack.removeLast(count) }
    return Array(stack.suffix(count))
  }

  mutating func pushMark() throws {
    guard marks.count < Self.maximumMarks else { throw damaged("more than \(Self.maximumMarks) groups are open") }
    marks.append(stack.count)
  }

  mutating func popToMark() throws -> [PickleValue] {
    guard let mark = marks.popLast() else { throw damaged("a group was never opened") }
    defer { stack.removeSubrange(mark...) }
    return Array(stack[mark...])
  }

  // MARK: Memo

  /// Memoizes the top of the stack, by default under the next number.
  mutating func remember(_ key: UInt32? = nil) throws {
    let value = try pop()
    memo[key ?? UInt32(memo.count)] = value
    stack.append(value)
  }

  mutating func recall(_ key: UInt32) throws {
    guard let value = memo[key] else { throw damaged("nothing was remembered under \(key)") }
    try push(value)
  }

  // MARK: Containers

  mutating func pushTuple(_ values: [PickleValue]) throws {
    heap.tuples.append(values)
    try push(.tuple(heap.tuples.count - 1))
  }

  mutating func pushDictionary() throws {
    heap.dictionaries.append([])
    try push(.dictionary(heap.dictionaries.count - 1))
  }

  mutating func pushStorage(_ storage: TorchStorage) throws {
    heap.storages.append(storage)
    try push(.storage(heap.storages.count - 1))
  }

  mutating func pushTensor(_ tensor: StridedTensor) throws {
    heap.tensors.append(tensor)
    try push(.tensor(heap.tensors.count - 1))
  }

  /// Adds alternating keys and values to the dictionary on top of the stack.
  mutating func set(_ items: [PickleValue]) throws {
    let top = try pop()
    guard case .dictionary(let index) = top else { throw damaged("\(top.kind) stands where a dictionary was expected") }
    guard items.count.isMultiple(of: 2) else { throw damaged("a value is missing") }
    for position in stride(from: 0, to: items.count, by: 2) {
      heap.dictionaries[index].append((items[position], items[position + 1]))
    }
    stack.append(top)
  }

  /// Drops the items for the collection on top of the stack.
  mutating func add(_: [PickleValue]) throws {
    let top = try pop()
    guard case .collection = top else { throw damaged("\(top.kind) stands where a list was expected") }
    stack.append(top)
  }

  /// Drops the state of the value below it: a `state_dict`'s `_metadata`, or that of an unused number or array.
  mutating func build() throws {
    _ = try pop()
    let top = try pop()
    switch top {
    case .dictionary, .scalar: stack.append(top)
    default: throw damaged("\(top.kind) stands where a dictionary was expected")
    }
  }
}
