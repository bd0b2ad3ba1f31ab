/// A result in a recorded computation: an operation and the nodes of its operands.
///
/// A recording begins at tensors that have a node (`Tensor.recorded(as:)`, `Parameters.recorded`). Operations on them give
/// their results nodes, so a result leads back to all that it was computed of. Fused operations have none.
package final class GraphNode {
  package let operation: Operation
  package let operands: [GraphNode]
  /// The shape of the result in this recording.
  package let shape: [Int]

  init(_ operation: Operation, _ operands: [GraphNode], shape: [Int]) {
    (self.operation, self.operands, self.shape) = (operation, operands, shape)
  }

  /// An operation with everything but tensors that it depends on. Axes count all axes of x [N, C, …].
  package enum Operation {
    case input(name: String)
    case parameter(Tensor, name: String)
    case constant(Tensor)

    // Elementwise. The first four take two operands and broadcast.
    case add, subtract, multiply, divide
    case addScalar(Double)
    case multiplyScalar(Double)
    case divideScalar(Double)
    case relu, gelu, sigmoid, squareRoot
    case leakyReLU(slope: Double)
    /// The second operand has a slope for each channel.
    case parametricReLU
    case clamp(ClosedRange<Double>)

    // Along axes.
    case matrixProduct
    case softmax(axis: Int)
    case sum(axes: [Int])
    case concatenate(axis: Int)
    case narrow(axis: Int, Range<Int>)
    case permute([Int])
    /// Takes the node's shape.
    case reshape
    /// Takes the shape of the second operand.
    case reshapeLike
    /// Takes the size of the second operand's axes but N and C.
    case resizeLinearly, resizeNearest, padLike

    /// Operands: x, weight and, if it has one, bias. Strides and padding are of the axes but N and C.
    case convolution(strides: [Int], padding: [Int])
    case transposedConvolution(strides: [Int], padding: [Int], outputPadding: [Int])
    case maxPool([Int])
    case averagePool([Int])

    /// Operands: x, mean and variance, then weight and bias if it is affine.
    case batchNorm(epsilon: Double)
    case instanceNorm(epsilon: Double)
    /// Operands: x, weight and bias, as of `layerNorm`, whose weight has the last axes of x.
    case groupNorm(groups: Int, epsilon: Double)
    case layerNorm(epsilon: Double)
  }
}

extension Tensor {
  /// Takes ownership of the result of an operation, which is recorded if one of its operands is.
  convenience init(
    _ handle: OpaquePointer?, _ operation: @autoclosure () -> GraphNode.Operation, _ operands: Tensor?...
  ) {
    self.init(handle, operation(), of: operands)
  }

  convenience init(
    _ handle: OpaquePointer?, _ operation: @autoclosure () -> GraphNode.Operation, of operands: [Tensor?]
  ) {
    self.init(handle)
    guard operands.contains(where: { $0?.node != nil }) else { return }
    let nodes = operands.compactMap { $0 }.map { $0.node ?? GraphNode(.constant($0), [], shape: $0.shape) }
    node = GraphNode(operation(), nodes, shape: shape)
  }

  /// Takes ownership of the same values in another form; conversion to another type ends a recording.
  convenience init(_ handle: OpaquePointer?, sameAs tensor: Tensor) {
    self.init(handle)
    if let node = tensor.node, type == tensor.type { self.node = node }
  }

  /// Returns these values as an input of a recording.
  package func recorded(as name: String) -> Tensor {
    let input = copy()
    input.node = GraphNode(.input(name: name), [], shape: shape)
    return input
  }
}

extension Parameters {
  /// Runs `body` with the parameters recorded under their names.
  package func recorded<Result>(_ body: () throws -> Result) rethrows -> Result {
    for entry in entries {
      entry.tensor.node = GraphNode(.parameter(entry.tensor, name: entry.name), [], shape: entry.tensor.shape)
    }
    defer { for entry in entries { entry.tensor.node = nil } }
    return try body()
  }
}
