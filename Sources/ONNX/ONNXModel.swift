package import Foundation
import SwiftProtobuf
package import Torch

/// An ONNX model of a recorded computation, with its weights.
package struct ONNXModel {
  /// An output of the computation.
  package struct Output {
    let name: String
    /// Its node in both recordings.
    let nodes: (GraphNode, GraphNode)
    /// Tells whether the model gives the largest channel's index (uint8, the first of equals) in place of all channels.
    let isMask: Bool

    package init(_ name: String, _ nodes: (GraphNode, GraphNode), isMask: Bool) {
      (self.name, self.nodes, self.isMask) = (name, nodes, isMask)
    }
  }

  /// The version of ONNX's operators, and of its file format.
  package static let (opset, format) = (17, 8)

  private var model = Onnx_ModelProto()

  /// Makes a model of one computation that was recorded twice, with inputs of different sizes.
  ///
  /// Sizes that differ between the recordings are dynamic in the model.
  ///
  /// - Parameters:
  ///   - axes: names for the dynamic axes of inputs, such as n, c, h and w. Outputs have the same axes, a mask without
  ///     the second.
  ///   - metadata: pairs that the model carries.
  package init(
    _ outputs: [Output], axes: [String], version: String, description: String, metadata: KeyValuePairs<String, String>
  ) {
    var builder = GraphBuilder()
    for output in outputs { builder.add(output, axes) }
    model.irVersion = Int64(Self.format)
    (model.producerName, model.producerVersion, model.docString) = ("dualnorm", version, description)
    model.opsetImport = [.with { $0.version = Int64(Self.opset) }]
    model.graph = builder.graph(named: "dualnorm", axes)
    model.metadataProps = metadata.map { pair in
      .with { ($0.key, $0.value) = (pair.key, pair.value) }
    }
  }

  /// The number of nodes of each operator.
  package var operators: [String: Int] { Dictionary(model.graph.node.map { ($0.opType, 1) }, uniquingKeysWith: +) }

  /// The bytes of the file; nil if they are more than the format can hold (2 GiB).
  package var data: Data? {
    guard model.graph.initializer.reduce(0, { $0 + $1.rawData.count }) < Int(Int32.max) - 1 << 20 else { return nil }
    return try? model.serializedData()
  }
}

/// A node in two recordings of one computation.
struct Step {
  let one, other: GraphNode

  init(_ one: GraphNode, _ other: GraphNode) {
    precondition(
      one.operands.count == other.operands.count && one.shape.count == other.shape.count,
      "the recordings are of different computations")
    (self.one, self.other) = (one, other)
  }

  var id: ObjectIdentifier { ObjectIdentifier(one) }
  var rank: Int { one.shape.count }

  func operand(_ index: Int) -> Step { Step(one.operands[index], other.operands[index]) }

  /// Tells whether the size of an axis is dynamic.
  func isDynamic(_ axis: Int) -> Bool { one.shape[axis] != other.shape[axis] }

  /// Tells whether an axis always has the size of the same axis of another step.
  func isAlike(_ axis: Int, _ step: Step) -> Bool {
    axis < step.rank && one.shape[axis] == step.one.shape[axis] && other.shape[axis] == step.other.shape[axis]
  }
}
