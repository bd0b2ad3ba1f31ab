import CTorch
import Foundation

extension Tensor {
  /// A tensor of the numbers of a file.
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

  /// Copies the tensors of a file into these, in place; numbers of another type are converted.
  ///
  /// - Parameters:
  ///   - file: names the source in the error.
  ///   - mayLack: names that may be missing and then stay as they are.
  /// - Throws: `WeightsError` with all names that are missing, unexpected or of another shape; then nothing was copied.
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
      throw WeightsError(
        "\(file): does not fit the network: \(problems.joined(separator: "; ")); use the weights of this configuration."
      )
    }
    for entry in entries {
      if let tensor = given[entry.name] { entry.tensor.assign(Tensor(tensor)) }
    }
  }
}

/// Which tensors of a file went into a network, by name and shape, and which did not.
public struct TransferReport: Equatable, Sendable {
  public internal(set) var matched: [String] = []
  /// The same name in both, of another shape.
  public internal(set) var otherShape: [String] = []
  /// The network's own, which keep their values.
  public internal(set) var missing: [String] = []
  /// The file's, which the network has no use for.
  public internal(set) var unused: [String] = []
}

extension Parameters {
  /// Copies what fits of a file, by name and shape, into these, in place; the rest keeps its values.
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
  /// Moments and step counts of the parameters that were moved, named after them.
  public var stateDictionary: StateDictionary {
    zip(moments, steps).filter { $0.1 > 0 }.flatMap { moment, step -> StateDictionary in
      [
        ("first/\(moment.name)", moment.first.stored), ("second/\(moment.name)", moment.second.stored),
        ("step/\(moment.name)", Tensor([step], shape: []).stored),
      ]
    }
  }

  /// Takes up the state that `stateDictionary` gave.
  ///
  /// - Throws: `WeightsError` if a tensor is not of this optimizer.
  public func load(_ state: StateDictionary, file: String) throws {
    let given = Dictionary(state.map { ($0.name, $0.tensor) }, uniquingKeysWith: { first, _ in first })
    var steps = self.steps
    for (index, moment) in moments.enumerated() {
      guard let step = given["step/\(moment.name)"] else { continue }
      guard let first = given["first/\(moment.name)"], let second = given["second/\(moment.name)"],
        first.shape == moment.parameter.shape, second.shape == moment.parameter.shape,
        let count = Tensor(step).count(below: 1e15)
      else { throw WeightsError("\(file): its optimizer state of \(moment.name) is not of this network.") }
      moment.first.assign(Tensor(first))
      moment.second.assign(Tensor(second))
      steps[index] = count
    }
    self.steps = steps
  }
}

extension Tensor {
  /// Its only number, if that is a whole one from 0 to below `limit`.
  func count(below limit: Double) -> Int? {
    guard shape.isEmpty else { return nil }
    let value = item
    return value >= 0 && value < limit ? Int(exactly: value) : nil
  }
}
