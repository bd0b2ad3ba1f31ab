import CTorch

/// The type of a tensor's elements.
public enum ScalarType: String, Sendable, CaseIterable {
  case uint8, int8, int16, int32, int64, float16, bfloat16, float32, float64, bool

  var code: CTType {
    switch self {
    case .uint8: CTTypeUInt8
    case .int8: CTTypeInt8
    case .int16: CTTypeInt16
    case .int32: CTTypeInt32
    case .int64: CTTypeInt64
    case .float16: CTTypeFloat16
    case .bfloat16: CTTypeBFloat16
    case .float32: CTTypeFloat32
    case .float64: CTTypeFloat64
    case .bool: CTTypeBool
    }
  }

  init(_ code: CTType) {
    guard let type = ScalarType.allCases.first(where: { $0.code == code }) else {
      fatalError("LibTorch's scalar type \(code.rawValue) is not used here")
    }
    self = type
  }

  public var byteCount: Int {
    switch self {
    case .uint8, .int8, .bool: 1
    case .int16, .float16, .bfloat16: 2
    case .int32, .float32: 4
    case .int64, .float64: 8
    }
  }
}

/// A Swift type whose values fill a tensor as they are.
public protocol TorchScalar: BitwiseCopyable, Sendable {
  static var type: ScalarType { get }
}

extension Float: TorchScalar { public static var type: ScalarType { .float32 } }
extension Double: TorchScalar { public static var type: ScalarType { .float64 } }
extension UInt8: TorchScalar { public static var type: ScalarType { .uint8 } }
extension Int: TorchScalar { public static var type: ScalarType { .int64 } }
