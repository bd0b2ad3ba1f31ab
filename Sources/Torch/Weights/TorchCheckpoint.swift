public import Foundation

/// The tensors of a file by PyTorch's `torch.save`: a `state_dict`, or a dictionary that holds one.
///
/// Since PyTorch 1.6 it is a zip file with a pickle. Reading executes nothing.
public struct TorchCheckpoint: Sendable {
  /// Tensors in the dictionary's order, without the prefix `module.` that `DataParallel` adds to all names.
  public let tensors: [(name: String, tensor: StoredTensor)]
  /// The key of the tensors' dictionary in the file's; nil if the file's holds the tensors itself.
  public let key: String?
  /// Texts and tuples of whole numbers beside the tensors, by their keys joined by dots, such as `init_args.configuration`.
  public let facts: [String: Fact]

  /// A value that a training program saved beside the tensors.
  public enum Fact: Equatable, Sendable {
    case text(String)
    /// A tuple of numbers.
    case numbers([Int])
    case none
  }

  /// Keys that training programs use, in the order of trial.
  private static let keys = ["state_dict", "model_state_dict", "model", "net", "network", "network_weights"]

  /// Returns the tensor of a name.
  public subscript(name: String) -> StoredTensor? { tensors.first { $0.name == name }?.tensor }

  /// Reads a file. Takes memory for the used storages, and for gathered views at most eight times the file's size.
  ///
  /// - Throws: `Refusal` for a file that is damaged, of another kind, or refers to more than tensors.
  public static func read(_ url: URL) throws -> TorchCheckpoint {
    let file = try InputFile(url)
    let (archive, root) = try openArchive(file)
    guard let pickle = try archive.contents(of: root + "/data.pkl") else {
      throw file.refusal("holds no data.pkl, so torch.save did not write it", remedy: "give a file of weights")
    }
    let (value, heap) = try Unpickler.value(of: pickle, in: file)
    let (entries, key) = try entries(of: value, heap, file)
    var gatherer = TensorGatherer(archive: archive, folder: root + "/data/")
    let tensors = try gatherer.gather(withoutCommonPrefix(entries))
    return TorchCheckpoint(tensors: tensors, key: key, facts: facts(of: value, heap))
  }

  /// The zip file, and the folder of all its records.
  private static func openArchive(_ file: InputFile) throws -> (ZipArchive, root: String) {
    let start = [UInt8](try file.bytes(at: 0, count: min(15, file.size)))
    if start == legacyMagic {
      throw file.refusal(
        "was written by torch.save before PyTorch 1.6 or without its zip format",
        remedy: "load and save it with a current PyTorch: torch.save(torch.load('old.pth', weights_only=True), "
          + "'new.pth')")
    }
    guard start.starts(with: [0x50, 0x4B, 3, 4]) else {
      throw file.refusal("is no zip file, as torch.save writes them", remedy: "give a file of weights")
    }
    let archive = try ZipArchive(file)
    let root = archive.names.first.map { String($0.prefix { $0 != "/" }) } ?? ""
    let code = root + "/code/"
    if archive.size(of: root + "/constants.pkl") != nil || archive.names.contains(where: { $0.hasPrefix(code) }) {
      throw file.refusal(
        "is a TorchScript archive, which holds code",
        remedy: "save the weights alone: torch.save(model.state_dict(), 'weights.pth')")
    }
    try archive.requireStoredRecords()
    if let order = try archive.contents(of: root + "/byteorder"), order != Data("little".utf8) {
      throw file.refusal(
        "has the byte order '\(String(decoding: order, as: UTF8.self).printable)', where 'little' was expected",
        remedy: "save it on a little-endian machine")
    }
    return (archive, root)
  }

  /// The start of older files, a pickle of the number 0x1950a86a20f9469cfc6c.
  private static let legacyMagic: [UInt8] = [
    0x80, 2, 0x8A, 10, 0x6C, 0xFC, 0x9C, 0x46, 0xF9, 0x20, 0x6A, 0xA8, 0x50, 0x19, 0x2E,
  ]

  /// Finds the names and tensors of the top dictionary, or of one that it holds.
  private static func entries(
    of value: PickleValue, _ heap: PickleHeap, _ file: InputFile
  ) throws -> ([(name: String, tensor: StridedTensor)], key: String?) {
    guard case .dictionary(let top) = value else {
      throw file.refusal(
        "holds \(value.kind), where a dictionary of tensors was expected", remedy: "save a state_dict")
    }
    var candidates: [(key: String?, dictionary: Int)] = [(nil, top)]
    for key in keys {
      for case (.string(key), .dictionary(let inner)) in heap.dictionaries[top] {
        candidates.append((key, inner))
        break
      }
    }
    for (key, dictionary) in candidates {
      if let tensors = try? tensors(of: heap.dictionaries[dictionary], heap, file) { return (tensors, key) }
    }
    // No dictionary fits, so the sentence names the likeliest.
    let (key, likeliest) = candidates.count > 1 ? candidates[1] : candidates[0]
    return (try tensors(of: heap.dictionaries[likeliest], heap, file), key)
  }

  /// The facts of the top dictionary and of the dictionaries in it.
  private static func facts(of value: PickleValue, _ heap: PickleHeap, below prefix: String? = nil) -> [String: Fact] {
    guard case .dictionary(let index) = value else { return [:] }
    var facts: [String: Fact] = [:]
    for case (.string(let key), let value) in heap.dictionaries[index] {
      let name = prefix.map { "\($0).\(key)" } ?? key
      switch value {
      case .string(let text): facts[name] = .text(text)
      case .none: facts[name] = Fact.none
      case .tuple(let index):
        let numbers = heap.tuples[index].compactMap { if case .integer(let number) = $0 { number } else { nil } }
        if numbers.count == heap.tuples[index].count { facts[name] = .numbers(numbers) }
      case .dictionary where prefix == nil:
        facts.merge(Self.facts(of: value, heap, below: key)) { first, _ in first }
      default: break
      }
    }
    return facts
  }

  private static func tensors(
    of dictionary: [(key: PickleValue, value: PickleValue)], _ heap: PickleHeap, _ file: InputFile
  ) throws -> [(name: String, tensor: StridedTensor)] {
    var names: Set<String> = []
    return try dictionary.map { key, value in
      guard case .string(let name) = key else {
        throw file.refusal("has \(key.kind) as a key, where a name was expected", remedy: "save a state_dict")
      }
      guard case .tensor(let index) = value else {
        throw file.refusal(
          "holds \(value.kind) under '\(name.printable)', where a tensor was expected",
          remedy: "save a state_dict, or a dictionary that holds one under \(keys.joined(separator: ", "))")
      }
      guard names.insert(name).inserted else {
        throw file.refusal("has the name '\(name.printable)' twice", detail: "it is damaged")
      }
      return (name, heap.tensors[index])
    }
  }

  private static func withoutCommonPrefix(
    _ entries: [(name: String, tensor: StridedTensor)]
  ) -> [(name: String, tensor: StridedTensor)] {
    let prefix = "module."
    guard entries.allSatisfy({ $0.name.hasPrefix(prefix) }) else { return entries }
    return entries.map { (String($0.name.dropFirst(prefix.count)), $0.tensor) }
  }
}
