import Foundation

extension Data {
  /// Makes the bytes of integers of any widths, one after the other.
  init(littleEndian numbers: any FixedWidthInteger...) {
    self = numbers.reduce(into: Data()) { $0 += $1.littleEndianBytes }
  }
}

extension FixedWidthInteger {
  fileprivate var littleEndianBytes: [UInt8] { withUnsafeBytes(of: littleEndian) { Array($0) } }
}
