import Torch

/// The final pass's mask at each level's size, resized once per size.
final class MaskLevels {
  private let mask: Tensor
  private let kind: MaskKind
  private var levels: [[Int]: Tensor] = [:]

  /// - Parameter mask: [N, classes, H, W], sums to one over the classes.
  init(_ mask: Tensor, _ kind: MaskKind) {
    self.mask = mask
    self.kind = kind
  }

  /// The mask as [N, classes, height, width]. Both kinds of resizing keep the sum over the classes at one.
  func resized(height: Int, width: Int) -> Tensor {
    if let level = levels[[height, width]] { return level }
    let level =
      switch kind {
      case .soft: mask.resizedBilinear(height: height, width: width)
      case .hard: mask.resizedNearest(height: height, width: width)
      }
    levels[[height, width]] = level
    return level
  }
}
