import Torch

/// The final pass's mask at each level's size, resized once per size.
final class MaskLevels {
  private let mask: Tensor
  private let kind: MaskKind
  private var levels: [[Int]: Tensor] = [:]

  /// - Parameter mask: [N, classes, H, W] or [N, classes, D, H, W], sums to one over the classes.
  init(_ mask: Tensor, _ kind: MaskKind) {
    self.mask = mask
    self.kind = kind
  }

  /// The mask as [N, classes] and the axes of x. Both kinds of resizing keep the sum over the classes at one.
  func resized(like x: Tensor) -> Tensor {
    let size = x.spatialShape
    if let level = levels[size] { return level }
    let level =
      switch kind {
      case .soft: mask.resizedLinearly(like: x)
      case .hard: mask.resizedNearest(like: x)
      }
    levels[size] = level
    return level
  }
}
