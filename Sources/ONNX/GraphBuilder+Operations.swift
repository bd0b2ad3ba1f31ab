import Torch

extension GraphBuilder {
  /// Adds the operators of one recorded operation, and returns the name of its value.
  mutating func lowered(_ step: Step, _ x: [String]) -> String {
    switch step.one.operation {
    case .input(let name): input(name, step)
    case .parameter(let tensor, let name): initializer(name, tensor)
    case .constant(let tensor): constant(tensor, step)
    case .add: add("Add", x)
    case .subtract: add("Sub", x)
    case .multiply: add("Mul", x)
    case .divide: add("Div", x)
    case .addScalar(let value): add("Add", [x[0], scalar(value)])
    case .multiplyScalar(let value): add("Mul", [x[0], scalar(value)])
    case .divideScalar(let value): add("Div", [x[0], scalar(value)])
    case .relu: add("Relu", x)
    case .leakyReLU(let slope): add("LeakyRelu", x, ["alpha": .number(slope)])
    case .sigmoid: add("Sigmoid", x)
    case .squareRoot: add("Sqrt", x)
    case .gelu: gelu(x[0])
    case .parametricReLU: add("PRelu", [x[0], perChannel(x[1], step)])
    case .clamp(let range): clamped(x[0], to: range)
    case .matrixProduct: add("MatMul", x)
    case .softmax(let axis): add("Softmax", x, ["axis": .integer(axis)])
    case .sum(let axes): add("ReduceSum", [x[0], integers(axes)], ["keepdims": 0])
    case .concatenate(let axis): add("Concat", x, ["axis": .integer(axis)])
    case .narrow(let axis, let range):
      add("Slice", [x[0], integers([range.lowerBound]), integers([range.upperBound]), integers([axis])])
    case .permute(let order): add("Transpose", x, ["perm": .integers(order)])
    case .reshape: add("Reshape", [x[0], integers(sizes(of: step))])
    case .reshapeLike: add("Reshape", [x[0], shape(of: x[1])])
    case .resizeLinearly:
      resized(x, step, ["mode": "linear", "coordinate_transformation_mode": "align_corners"])
    case .resizeNearest:
      resized(
        x, step, ["mode": "nearest", "coordinate_transformation_mode": "asymmetric", "nearest_mode": "floor"])
    case .padLike: padded(x)
    case .convolution, .transposedConvolution, .maxPool, .averagePool: ofWindow(step, x)
    case .batchNorm(let epsilon): batchNorm(x, step, epsilon)
    case .instanceNorm(let epsilon):
      instanceNorm(x[0], channels: step.one.shape[1], epsilon)
    case .groupNorm(let groups, let epsilon): groupNorm(x, step, groups: groups, epsilon)
    case .layerNorm(let epsilon):
      add("LayerNormalization", x, ["axis": .integer(-step.operand(1).rank), "epsilon": .number(epsilon)])
    }
  }

  /// Adds an operator that slides a window over the axes but N and C.
  private mutating func ofWindow(_ step: Step, _ x: [String]) -> String {
    func window(_ sides: [Int], _ strides: [Int]) -> [String: Attribute] {
      ["kernel_shape": .integers(sides), "strides": .integers(strides)]
    }
    let kernel = step.one.operands.count > 1 ? Array(step.operand(1).one.shape.dropFirst(2)) : []
    switch step.one.operation {
    case .convolution(let strides, let padding):
      return add("Conv", x, window(kernel, strides).merging(["pads": .integers(padding + padding)]) { $1 })
    case .transposedConvolution(let strides, let padding, let outputPadding):
      let further: [String: Attribute] = [
        "pads": .integers(padding + padding), "output_padding": .integers(outputPadding),
      ]
      return add("ConvTranspose", x, window(kernel, strides).merging(further) { $1 })
    case .maxPool(let sides): return add("MaxPool", x, window(sides, sides))
    case .averagePool(let sides): return add("AveragePool", x, window(sides, sides))
    default: preconditionFailure("\(step.one.operation) slides no window")
    }
  }

  /// Computes x Φ(x) by the error function; opset 17 has no operator for it.
  private mutating func gelu(_ x: String) -> String {
    let cumulative = add("Add", [add("Erf", [add("Div", [x, scalar(2.squareRoot())])]), scalar(1)])
    return add("Mul", [add("Mul", [x, scalar(0.5)]), cumulative])
  }

  private mutating func clamped(_ x: String, to range: ClosedRange<Double>) -> String {
    let bounds = [range.lowerBound, range.upperBound].map { $0.isFinite ? scalar($0) : "" }
    return add("Clip", [x] + (bounds[1].isEmpty ? [bounds[0]] : bounds))
  }

  /// A vector [C] in a shape that broadcasts to [N, C, …].
  private mutating func perChannel(_ vector: String, _ step: Step) -> String {
    add("Unsqueeze", [vector, integers(Array(1..<step.rank - 1))])
  }

  /// The shape of a reshaped tensor in ONNX's terms: 0 for the size of the same axis before, −1 for the rest.
  private func sizes(of step: Step) -> [Int] {
    let before = step.operand(0)
    let sizes = (0..<step.rank).map { axis in
      !step.isDynamic(axis) ? step.one.shape[axis] : step.isAlike(axis, before) ? 0 : -1
    }
    precondition(sizes.count { $0 < 0 } <= 1, "two sizes of \(step.one.shape) would have to be computed")
    return sizes
  }

  private mutating func resized(_ x: [String], _ step: Step, _ attributes: [String: Attribute]) -> String {
    let sizes = add("Concat", [shape(of: x[0], to: 2), shape(of: x[1], from: 2)], ["axis": 0])
    return add("Resize", [x[0], "", "", sizes], attributes)
  }

  private mutating func padded(_ x: [String]) -> String {
    let missing = add("Sub", [shape(of: x[1], from: 2), shape(of: x[0], from: 2)])
    let before = add("Div", [missing, integers([2])])
    let after = add("Sub", [missing, before])
    let none = integers([0, 0])
    return add("Pad", [x[0], add("Concat", [none, before, none, after], ["axis": 0])])
  }

  /// - Parameter x: the input, mean and variance, then weight and bias if it is affine.
  private mutating func batchNorm(_ x: [String], _ step: Step, _ epsilon: Double) -> String {
    let channels = step.one.shape[1]
    let affine = x.count > 3 ? [x[3], x[4]] : [vector(1, count: channels), vector(0, count: channels)]
    return add("BatchNormalization", [x[0]] + affine + [x[1], x[2]], ["epsilon": .number(epsilon)])
  }

  private mutating func instanceNorm(_ x: String, channels: Int, _ epsilon: Double) -> String {
    add(
      "InstanceNormalization", [x, vector(1, count: channels), vector(0, count: channels)],
      ["epsilon": .number(epsilon)])
  }

  /// Computes instance norm with each group as one channel; ONNX's own group norm came with opset 18.
  private mutating func groupNorm(_ x: [String], _ step: Step, groups: Int, _ epsilon: Double) -> String {
    guard groups != step.one.shape[1] else {
      return add("InstanceNormalization", x, ["epsilon": .number(epsilon)])
    }
    let joined = add("Reshape", [x[0], integers([0, groups, -1])])
    let normalized = add("Reshape", [instanceNorm(joined, channels: groups, epsilon), shape(of: x[0])])
    return add("Add", [add("Mul", [normalized, perChannel(x[1], step)]), perChannel(x[2], step)])
  }
}
