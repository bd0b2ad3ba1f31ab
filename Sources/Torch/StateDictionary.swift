import Basics
import CTorch
import Foundation

extension Tensor {
  /// Makes a tensor of a file's numbers.
  public convenience init(_ stored: StoredTensor) {
    self.init(stored.data.withUnsafeBytes { Tensor.make(from: $0, type: stored.dtype, shape: stored.shape) })
  }

  /// The numbers as a file holds them.
  public var stored: StoredTensor {
    let type = self.type
    var data = Data(count: count * type.byteCount)
    let size = data.count
    if size > 0 { data.withUnsafeMutableBytes { checkTrap(ct_copy_bytes(handle, $0.baseAddress!, size)) } }
    return StoredTensor(dtype: type, shape: shape, data: data)
  }
}

/// Tensors by name, in order: PyTorch's `state_dict`.
public typealias StateDictionary = [(name: String, tensor: StoredTensor)]

extension Parameters {
  public var stateDictionary: StateDictionary { entries.map { ($0.name, $0.tensor.stored) } }

  /// Copies a file's tensors into these, in place, and converts their type.
  ///
  /// - Parameters:
  ///   - file: names the source in the error.
  ///   - mayLack: names that may be missing and then keep their values.
  /// - Throws: `Refusal` with all names that are missing, unexpected or of another shape. Then nothing was copied.
  public func load(_ state: StateDictionary, file: String, mayLack: (String) -> Bool = { _ in false }) throws {
    let given = Dictionary(state.map { ($0.name, $0.tensor) }, uniquingKeysWith: { first, _ in first })
    let known = Set(entries.map(\.name))
    var problems: [String] = []
    func report(_ what: String, _ names: [String]) {
      if !names.isEmpty {
        let rest = names.count > 5 ? " and \(names.count - 5) more" : ""
        problems.append("\(what) \(names.prefix(5).joined(separator: ", "))\(rest)")
      }
    }
    report("missing", entries.map(\.name).filter { given[$0] == nil && !mayLack($0) })
    report("unexpected", state.map(\.name).filter { !known.contains($0) })
    report(
      "of another shape",
      entries.compactMap { entry in
        guard let tensor = given[entry.name], tensor.shape != entry.tensor.shape else { return nil }
        return "\(entry.name) (\(tensor.shape), expected \(entry.tensor.shape))"
      })
    guard problems.isEmpty else {
      throw Refusal(
        .weights, file, "does not fit the network: \(problems.joined(separator: "; "))",
        remedy: "use the weights of this configuration")
    }
    for entry in entries {
      if let tensor = given[entry.name] { entry.tensor.assign(Tensor(tensor)) }
    }
  }
}

/// The tensors of a file that were copied into a network, by name and shape, and the others.
public struct TransferReport: Equatable, Sendable {
  public internal(set) var matched: [String] = []
  /// Names in both, with different shapes.
  public internal(set) var otherShape: [String] = []
  /// Names of the network alone, which keep their values.
  public internal(set) var missing: [String] = []
  /// Names of the file alone.
  public internal(set) var unused: [String] = []
}

extension Parameters {
  /// Copies a file's tensors that fit by name and shape into these, in place. The rest keeps its values.
  public func transfer(from state: StateDictionary) -> TransferReport {
    let given = Dictionary(state.map { ($0.name, $0.tensor) }, uniquingKeysWith: { first, _ in first })
    let known = Set(entries.map(\.name))
    var report = TransferReport()
    report.unused = state.map(\.name).filter { !known.contains($0) }
    for entry in entries {
      guard let tensor = given[entry.name] else {
        report.missing.append(entry.name)
        continue
      }
      guard tensor.shape == entry.tensor.shape else {
        report.otherShape.append(entry.name)
        continue
      }
      entry.tensor.assign(Tensor(tensor))
      report.matched.append(entry.name)
    }
    return report
  }
}

extension Adam {
  /// Moments and step counts of the parameters that took steps, named after them.
  public var stateDictionary: StateDictionary {
    zip(moments, steps).filter { $0.1 > 0 }.flatMap { moment, step -> StateDictionary in
      [
        ("first/\(moment.name)", moment.first.stored), ("second/\(moment.name)", moment.second.stored),
        ("step/\(moment.name)", Tensor([step], shape: []).stored),
      ]
    }
  }

  /// Restores a state of `stateDictionary`.
  ///
  /// - Throws: `Refusal` if a tensor is not of this optimizer.
  public func load(_ state: StateDictionary, file: String) throws {
    let given = Dictionary(state.map { ($0.name, $0.tensor) }, uniquingKeysWith: { first, _ in first })
    var steps = self.steps
    for (index, moment) in moments.enumerated() {
      guard let step = given["step/\(moment.name)"] else { continue }
      guard let first = given["first/\(moment.name)"], let second = given["second/\(moment.name)"],
        first.shape == moment.parameter.shape, second.shape == moment.parameter.shape,
        let count = Tensor(step).count(below: 1e15)
      else { throw Refusal(.weights, file, "its optimizer state of \(moment.name) is not of this network") }
      moment.first.assign(Tensor(first))
      moment.second.assign(Tensor(second))
      steps[index] = count
    }
    self.steps = steps
  }
}

extension Tensor {
  /// The scalar's value, if it is a whole number from 0 to below `limit`.
  func count(below limit: Double) -> Int? {
    guard shape.isEmpty else { return nil }
    let value = item
    return value >= 0 && value < limit ? Int(exactly: value) : nil
  }
}
