public import Foundation

/// The type of a stored number. The raw value is its name in safetensors.
public enum StoredType: String, CaseIterable, Sendable {
  case float64 = "F64"
  case float32 = "F32"
  case float16 = "F16"
  case bfloat16 = "BF16"
  case int64 = "I64"
  case int32 = "I32"
  case int16 = "I16"
  case int8 = "I8"
  case uint8 = "U8"
  case bool = "BOOL"

  /// The size of a number in bytes.
  public var byteCount: Int {
    switch self {
    case .float64, .int64: 8
    case .float32, .int32: 4
    case .float16, .bfloat16, .int16: 2
    case .int8, .uint8, .bool: 1
    }
  }

  /// The size of a contiguous tensor in bytes; nil for an invalid shape.
  ///
  /// A shape is invalid with a negative length, more than 64 axes, or more bytes than `Int` holds.
  public func byteCount(of shape: [Int]) -> Int? {
    guard shape.count <= 64, shape.allSatisfy({ $0 >= 0 }) else { return nil }
    var total = byteCount
    for length in shape {
      let (product, overflow) = total.multipliedReportingOverflow(by: length)
      if overflow { return nil }
      total = product
    }
    return total
  }
}

/// The numbers of one tensor as in a file: contiguous, row-major, little-endian.
public struct StoredTensor: Equatable, Sendable {
  public let dtype: StoredType
  public let shape: [Int]
  /// The bytes, `dtype.byteCount(of: shape)` many, with indices from 0.
  public let data: Data

  /// Traps if the length of `data` does not fit type and shape.
  public init(dtype: StoredType, shape: [Int], data: Data) {
    precondition(
      dtype.byteCount(of: shape) == data.count, "\(data.count) bytes do not make \(dtype.rawValue) of shape \(shape)")
    self.dtype = dtype
    self.shape = shape
    self.data = data.startIndex == 0 ? data : Data(data)
  }
}
