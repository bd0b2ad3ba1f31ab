import CTorch

/// The type of a tensor's elements.
public typealias ScalarType = StoredType

extension StoredType {
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
    guard let type = StoredType.allCases.first(where: { $0.code == code }) else {
      fatalError("LibTorch's scalar type \(code.rawValue) is not used here")
    }
    self = type
  }
}

/// A Swift type with the same bytes as a tensor's elements.
public protocol TorchScalar: BitwiseCopyable, Sendable {
  static var type: ScalarType { get }
}

extension Float: TorchScalar { public static var type: ScalarType { .float32 } }
extension Double: TorchScalar { public static var type: ScalarType { .float64 } }
extension UInt8: TorchScalar { public static var type: ScalarType { .uint8 } }
extension Int: TorchScalar { public static var type: ScalarType { .int64 } }
