import CITK

/// ITK's message for this thread's last failure.
func lastITKError() -> String {
  String(cString: citk_error()).split(whereSeparator: \.isNewline).joined(separator: " ")
    .replacing(/\(0x[0-9a-f]+\)/, with: "")
}

/// Turns a failed call into an error made from ITK's message.
func checked(_ success: Bool, _ refusal: (String) -> any Error) throws {
  guard success else { throw refusal(lastITKError()) }
}

/// Traps on a failure that no user data can cause.
func expected(_ success: Bool) {
  precondition(success, "ITK failed: \(lastITKError())")
}

extension Geometry {
  /// Size (3 values) and frame (15) as the C functions take them.
  var sizeArray: [Int] { [size.x, size.y, size.z] }

  var frame: [Double] {
    [spacingMM.x, spacingMM.y, spacingMM.z, originMM.x, originMM.y, originMM.z] + direction
  }

  init(size: SIMD3<Int>, frame: [Double]) {
    self.init(
      size: size, spacingMM: SIMD3(frame[0], frame[1], frame[2]), originMM: SIMD3(frame[3], frame[4], frame[5]),
      direction: Array(frame[6...]))
  }
}
