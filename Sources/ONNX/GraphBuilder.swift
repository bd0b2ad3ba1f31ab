import Foundation
import SwiftProtobuf
import Torch

/// A graph that grows by the operations that its outputs need.
struct GraphBuilder {
  private var nodes: [Onnx_NodeProto] = []
  private var initializers: [Onnx_TensorProto] = []
  private var inputs: [(name: String, step: Step)] = []
  private var outputs: [(output: ONNXModel.Output, step: Step)] = []
  /// Names of the values of steps, and of shapes and constants by what they are.
  private var steps: [ObjectIdentifier: String] = [:]
  private var shared: [String: String] = [:]

  mutating func add(_ output: ONNXModel.Output, _ axes: [String]) {
    let step = Step(output.nodes.0, output.nodes.1)
    let value = value(of: step)
    if output.isMask {
      let largest = add("ArgMax", [value], ["axis": 1, "keepdims": 0])
      append("Cast", [largest], ["to": .integer(Onnx_TensorProto.DataType.uint8.rawValue)], output: output.name)
    } else {
      append("Identity", [value], [:], output: output.name)
    }
    outputs.append((output, step))
  }

  /// The name of a step's value, whose operations are added before.
  mutating func value(of step: Step) -> String {
    if let name = steps[step.id] { return name }
    var operands: [String] = []
    for index in step.one.operands.indices { operands.append(value(of: step.operand(index))) }
    let name = lowered(step, operands)
    steps[step.id] = name
    return name
  }

  mutating func input(_ name: String, _ step: Step) -> String {
    inputs.append((name, step))
    return name
  }

  /// Adds a node with one output, if there is no equal one, and returns the output's name.
  mutating func add(_ kind: String, _ operands: [String], _ attributes: [String: Attribute] = [:]) -> String {
    once("\(kind) \(operands) \(attributes.sorted { $0.key < $1.key })") {
      let name = "\(kind)_\($0.nodes.count)"
      $0.append(kind, operands, attributes, output: name)
      return name
    }
  }

  private mutating func append(
    _ kind: String, _ operands: [String], _ attributes: [String: Attribute], output: String
  ) {
    nodes.append(
      .with { node in
        (node.opType, node.name, node.input, node.output) = (kind, output, operands, [output])
        node.attribute = attributes.sorted { $0.key < $1.key }.map { $1.proto(named: $0) }
      })
  }

  mutating func constant(_ tensor: Tensor, _ step: Step) -> String {
    precondition(step.one.shape == step.other.shape, "an operation on the input leaves no node")
    return initializer("constant_\(initializers.count)", tensor)
  }

  mutating func initializer(_ name: String, _ tensor: Tensor) -> String {
    let isInteger = tensor.type == .int64
    let bytes =
      isInteger
      ? tensor.values(Int.self).withUnsafeBytes { Data($0) } : tensor.values(Float.self).withUnsafeBytes { Data($0) }
    initializers.append(
      .with {
        ($0.name, $0.dims, $0.rawData) = (name, tensor.shape.map(Int64.init), bytes)
        $0.dataType = Int32((isInteger ? Onnx_TensorProto.DataType.int64 : .float).rawValue)
      })
    return name
  }

  /// Adds what `make` makes, once for each key.
  mutating func once(_ key: String, _ make: (inout GraphBuilder) -> String) -> String {
    if let name = shared[key] { return name }
    let name = make(&self)
    shared[key] = name
    return name
  }

  mutating func integers(_ values: [Int]) -> String {
    let name = "integers_" + values.map(String.init).joined(separator: "_")
    return once(name) { $0.initializer(name, Tensor(values, shape: [values.count])) }
  }

  mutating func scalar(_ value: Double) -> String {
    once("scalar_\(value)") { $0.initializer("scalar_\(value)", Tensor([Float(value)], shape: [])) }
  }

  mutating func vector(_ value: Float, count: Int) -> String {
    let name = "vector_\(value)_\(count)"
    return once(name) { $0.initializer(name, Tensor(Array(repeating: value, count: count), shape: [count])) }
  }

  /// The sizes of a value's axes from `start`, up to `end`.
  mutating func shape(of value: String, from start: Int = 0, to end: Int? = nil) -> String {
    add("Shape", [value], ["start": .integer(start)].merging(end.map { ["end": .integer($0)] } ?? [:]) { $1 })
  }

  func graph(named name: String, _ axes: [String]) -> Onnx_GraphProto {
    .with { graph in
      (graph.name, graph.node, graph.initializer) = (name, nodes, initializers)
      graph.input = inputs.map { .with(name: $0.name, $0.step, axes: $0.step.axes(named: axes), .float) }
      graph.output = outputs.map { output, step in
        var kept = step.axes(named: axes)
        if output.isMask { kept.remove(at: 1) }
        return .with(name: output.name, step, axes: kept, output.isMask ? .uint8 : .float)
      }
    }
  }
}

extension Step {
  /// The axes as ONNX describes them: sizes, and names of dynamic sizes.
  fileprivate func axes(named names: [String]) -> [Onnx_TensorShapeProto.Dimension] {
    names.enumerated().map { axis, name in
      .with { if isDynamic(axis) { $0.dimParam = name } else { $0.dimValue = Int64(one.shape[axis]) } }
    }
  }
}

extension Onnx_ValueInfoProto {
  fileprivate static func with(
    name: String, _ step: Step, axes: [Onnx_TensorShapeProto.Dimension], _ type: Onnx_TensorProto.DataType
  ) -> Self {
    .with {
      $0.name = name
      $0.type.tensorType.elemType = Int32(type.rawValue)
      $0.type.tensorType.shape.dim = axes
    }
  }
}

/// The value of a node's attribute.
enum Attribute: ExpressibleByIntegerLiteral, ExpressibleByArrayLiteral, ExpressibleByStringLiteral {
  case integer(Int)
  case integers([Int])
  case number(Double)
  case text(String)

  init(integerLiteral value: Int) { self = .integer(value) }
  init(arrayLiteral elements: Int...) { self = .integers(elements) }
  init(stringLiteral value: String) { self = .text(value) }

  fileprivate func proto(named name: String) -> Onnx_AttributeProto {
    .with {
      $0.name = name
      switch self {
      case .integer(let value): ($0.type, $0.i) = (.int, Int64(value))
      case .integers(let values): ($0.type, $0.ints) = (.ints, values.map(Int64.init))
      case .number(let value): ($0.type, $0.f) = (.float, Float(value))
      case .text(let value): ($0.type, $0.s) = (.string, Data(value.utf8))
      }
    }
  }
}
