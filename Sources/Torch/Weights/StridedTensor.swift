import Foundation

/// A record of numbers. Tensors are views of it.
struct TorchStorage {
  let dtype: StoredType
  /// The record's name after `data/`.
  let key: String
  /// The size in numbers, not bytes.
  let count: Int
}

/// A view of a storage, as PyTorch saves a tensor: the number at index i lies at offset + Σ i·stride.
struct StridedTensor {
  let storage: TorchStorage
  let offset: Int
  let shape: [Int]
  let strides: [Int]

  /// The gathered size in bytes; nil if the view is invalid or reaches outside its storage.
  var byteCount: Int? {
    guard shape.count == strides.count, offset >= 0, strides.allSatisfy({ $0 >= 0 }),
      let bytes = storage.dtype.byteCount(of: shape)
    else { return nil }
    if bytes == 0 { return 0 }
    var last = offset
    for (length, stride) in zip(shape, strides) {
      let (reach, overflow) = (length - 1).multipliedReportingOverflow(by: stride)
      let (sum, sumOverflow) = last.addingReportingOverflow(reach)
      if overflow || sumOverflow { return nil }
      last = sum
    }
    return last < storage.count ? bytes : nil
  }

  /// Tells whether the numbers are contiguous. The view must have elements, so that the lengths' product does not overflow.
  private var isContiguous: Bool {
    var expected = 1
    for (length, stride) in zip(shape, strides).reversed() where length != 1 {
      if stride != expected { return false }
      expected *= length
    }
    return true
  }

  /// Gathers the view's numbers in row-major order from `source`, the storage's bytes. `byteCount` must not be nil.
  func gathered(from source: Data) -> StoredTensor {
    let size = storage.dtype.byteCount
    let total = byteCount!
    if total == 0 { return StoredTensor(dtype: storage.dtype, shape: shape, data: Data()) }
    if isContiguous {
      let start = offset * size
      let data = total == source.count ? source : source.subdata(in: start..<start + total)
      return StoredTensor(dtype: storage.dtype, shape: shape, data: data)
    }
    var data = Data(count: total)
    data.withUnsafeMutableBytes { target in
      source.withUnsafeBytes { source in gather(from: source.baseAddress!, to: target.baseAddress!) }
    }
    return StoredTensor(dtype: storage.dtype, shape: shape, data: data)
  }

  /// Counts through the outer axes like an odometer and copies the innermost one at each step.
  private func gather(from source: UnsafeRawPointer, to target: UnsafeMutableRawPointer) {
    let size = storage.dtype.byteCount
    let (innerLength, innerStride) = (shape.last!, strides.last!)
    var counter = [Int](repeating: 0, count: shape.count - 1)
    var (position, written) = (offset, 0)
    while true {
      for index in 0..<innerLength {
        (target + written).copyMemory(from: source + (position + index * innerStride) * size, byteCount: size)
        written += size
      }
      guard var axis = counter.indices.last else { return }
      counter[axis] += 1
      position += strides[axis]
      while counter[axis] == shape[axis] {
        position -= counter[axis] * strides[axis]
        counter[axis] = 0
        if axis == 0 { return }
        axis -= 1
        counter[axis] += 1
        position += strides[axis]
      }
    }
  }
}
