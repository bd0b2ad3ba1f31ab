import CTorch

// MARK: Elementwise, with broadcasting, differentiable

extension Tensor {
  public static func + (a: Tensor, b: Tensor) -> Tensor { Tensor(ct_add(a.handle, b.handle), .add, a, b) }
  public static func - (a: Tensor, b: Tensor) -> Tensor { Tensor(ct_subtract(a.handle, b.handle), .subtract, a, b) }
  public static func * (a: Tensor, b: Tensor) -> Tensor { Tensor(ct_multiply(a.handle, b.handle), .multiply, a, b) }
  public static func / (a: Tensor, b: Tensor) -> Tensor { Tensor(ct_divide(a.handle, b.handle), .divide, a, b) }

  public static func + (a: Tensor, b: Double) -> Tensor { Tensor(ct_add_scalar(a.handle, b), .addScalar(b), a) }
  public static func + (a: Double, b: Tensor) -> Tensor { b + a }
  public static func * (a: Tensor, b: Double) -> Tensor {
    Tensor(ct_multiply_scalar(a.handle, b), .multiplyScalar(b), a)
  }
  public static func * (a: Double, b: Tensor) -> Tensor { b * a }
  public static func / (a: Tensor, b: Double) -> Tensor { Tensor(ct_divide_scalar(a.handle, b), .divideScalar(b), a) }
  public static func / (a: Double, b: Tensor) -> Tensor { Tensor(repeating: a, shape: [], type: b.type) / b }
  public static func - (a: Double, b: Tensor) -> Tensor { b * -1 + a }
  public static prefix func - (a: Tensor) -> Tensor { a * -1 }

  public func relu() -> Tensor { Tensor(ct_relu(handle), .relu, self) }
  /// Multiplies negative elements by the slope.
  public func leakyReLU(slope: Double) -> Tensor {
    Tensor(ct_leaky_relu(handle, slope), .leakyReLU(slope: slope), self)
  }
  /// Multiplies negative elements of [N, C, …] by the slope of their channel, [C].
  public func parametricReLU(slopes: Tensor) -> Tensor {
    Tensor(ct_prelu(handle, slopes.handle), .parametricReLU, self, slopes)
  }
  /// Computes x Φ(x), with the exact normal distribution.
  public func gelu() -> Tensor { Tensor(ct_gelu(handle), .gelu, self) }
  public func sigmoid() -> Tensor { Tensor(ct_sigmoid(handle), .sigmoid, self) }
  public func log() -> Tensor { Tensor(ct_log(handle)) }
  public func squareRoot() -> Tensor { Tensor(ct_sqrt(handle), .squareRoot, self) }
  /// Multiplies matrices of one type: [..., m, n] × [..., n, p] -> [..., m, p]. Keeps that type in any `Precision`.
  public func matrixProduct(_ other: Tensor) -> Tensor {
    Tensor(ct_matrix_product(handle, other.handle), .matrixProduct, self, other)
  }
  public func clamped(to range: ClosedRange<Double>) -> Tensor {
    Tensor(ct_clamp(handle, range.lowerBound, range.upperBound), .clamp(range), self)
  }
}

extension Tensor {
  /// Sums over the given dimensions and removes them. Without any, sums over all.
  public func sum(_ dimensions: [Int] = []) -> Tensor {
    Tensor(
      ct_sum(handle, dimensions, dimensions.count), .sum(axes: dimensions.isEmpty ? Array(0..<rank) : dimensions), self)
  }

  /// The mean of all elements.
  public func mean() -> Tensor { Tensor(ct_mean(handle)) }

  public func softmax(_ dimension: Int) -> Tensor {
    Tensor(ct_softmax(handle, dimension), .softmax(axis: dimension), self)
  }

  public func logSoftmax(_ dimension: Int) -> Tensor { Tensor(ct_log_softmax(handle, dimension)) }

  /// Sums over the pixels of each image and class, [N, classes, 8]; see `ct_class_sums`.
  ///
  /// `self` holds logits [N, classes, H, W]. `labels` are int64 [N, H, W].
  public func classSums(_ labels: Tensor, leastProbability: Double) -> Tensor {
    Tensor(ct_class_sums(handle, labels.handle, leastProbability))
  }

  /// The index (int64) of the largest element along a dimension, which is removed.
  public func argmax(_ dimension: Int) -> Tensor { Tensor(ct_argmax(handle, dimension)) }

  /// The index (uint8) of each voxel's largest channel, the first of equals: [N, C, …] -> [N, …], C up to 256.
  public func largestChannel() -> Tensor {
    let planes = planesJoined
    return withExtendedLifetime(planes) { Tensor(ct_largest_channel(planes.handle)) }.reshaped([size(0)] + spatialShape)
  }

  /// Encodes int64 labels [...] as one-hot vectors [..., classes].
  public func oneHot(_ classes: Int) -> Tensor { Tensor(ct_one_hot(handle, classes)) }

  /// Encodes labels [N, …] as one-hot vectors along a second axis, [N, classes, …].
  public func oneHotChannels(_ classes: Int) -> Tensor {
    oneHot(classes).permuted([0, rank] + (1..<rank))
  }
}

extension Tensor {
  public func permuted(_ order: Int...) -> Tensor { permuted(order) }

  public func permuted(_ order: [Int]) -> Tensor {
    Tensor(ct_permute(handle, order, order.count), .permute(order), self)
  }

  public func reshaped(_ shape: Int...) -> Tensor { reshaped(shape) }

  public func reshaped(_ shape: [Int]) -> Tensor { Tensor(ct_reshape(handle, shape, shape.count), .reshape, self) }

  /// The same elements in the shape of another tensor.
  public func reshaped(like other: Tensor) -> Tensor {
    let shape = other.shape
    return Tensor(ct_reshape(handle, shape, shape.count), .reshapeLike, self, other)
  }

  public static func concatenate(_ parts: [Tensor], dimension: Int) -> Tensor {
    Tensor(ct_concatenate(parts.map(\.handle), parts.count, dimension), .concatenate(axis: dimension), of: parts)
  }

  /// The elements in reverse order along some axes, counted from the last as 1.
  public func flipped(_ axesFromLast: [Int]) -> Tensor {
    Tensor(ct_flip(handle, axesFromLast.map { rank - $0 }, axesFromLast.count))
  }

  /// The elements at `index` of the last dimension, which is removed.
  public func selectedLast(_ index: Int) -> Tensor {
    let shape = shape
    let selected = narrowed(shape.count - 1, to: index..<index + 1)
    return Tensor(ct_reshape(selected.handle, Array(shape.dropLast()), shape.count - 1))
  }

  /// The elements `range` of one dimension, in the same storage.
  public func narrowed(_ dimension: Int, to range: Range<Int>) -> Tensor {
    Tensor(ct_narrow(handle, dimension, range.lowerBound, range.count), .narrow(axis: dimension, range), self)
  }

  /// Pads all axes but N and C with zeros to the sizes of a larger tensor; the odd voxel comes last.
  ///
  /// Pooling drops the last row or column of an odd size, which a skip connection still has.
  public func padded(like larger: Tensor) -> Tensor {
    let missing = zip(larger.spatialShape, spatialShape).map { $0 - $1 }
    guard missing.contains(where: { $0 != 0 }) else { return self }
    let fromLast = missing.reversed().flatMap { [$0 / 2, $0 - $0 / 2] }
    return Tensor(ct_pad(handle, fromLast, fromLast.count), .padLike, self, larger)
  }
}

// MARK: In place and outside autograd, for optimizers and initialization

extension Tensor {
  /// Copies `value`, of the same shape, into this tensor.
  public func assign(_ value: Tensor) { checkTrap(ct_assign(handle, value.handle)) }
  public func fill(_ value: Double) { checkTrap(ct_fill(handle, value)) }
  public func fillUniform(_ low: Double, _ high: Double, _ generator: Generator) {
    checkTrap(ct_fill_uniform(handle, low, high, generator.handle))
  }
  /// Adds `value`, broadcast to this tensor.
  public func add(_ value: Tensor) { checkTrap(ct_add_in_place(handle, value.handle)) }
  public func add(_ value: Double) { checkTrap(ct_add_scalar_in_place(handle, value)) }
  /// Adds weight · (end − self).
  public func lerp(to end: Tensor, weight: Double) { checkTrap(ct_lerp_in_place(handle, end.handle, weight)) }
}
