import Foundation

/// The type of a stored number; the raw value is its name in safetensors.
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

  /// Bytes a number takes.
  public var byteCount: Int {
    switch self {
    case .float64, .int64: 8
    case .float32, .int32: 4
    case .float16, .bfloat16, .int16: 2
    case .int8, .uint8, .bool: 1
    }
  }

  /// Bytes of a contiguous tensor, or nil for a shape that no tensor has: a negative length, more than 64 axes, or
  /// more bytes than `Int` holds.
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

/// The numbers of one tensor as they lie in a file: contiguous, row-major, little-endian.
public struct StoredTensor: Equatable, Sendable {
  public let dtype: StoredType
  public let shape: [Int]
  /// Indices start at 0; `dtype.byteCount(of: shape)` bytes.
  public let data: Data

  /// Traps if `data` is not as long as type and shape say.
  public init(dtype: StoredType, shape: [Int], data: Data) {
    precondition(
      dtype.byteCount(of: shape) == data.count, "\(data.count) bytes do not make \(dtype.rawValue) of shape \(shape)")
    self.dtype = dtype
    self.shape = shape
    self.data = data.startIndex == 0 ? data : Data(data)
  }
}
