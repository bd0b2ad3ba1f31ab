import Torch

/// The mask of the final pass on every level of the network, resized once a level.
final class MaskLevels {
  private let mask: Tensor
  private let kind: MaskKind
  private var levels: [[Int]: Tensor] = [:]

  /// mask: [N, classes, H, W], one in the sum over the classes.
  init(_ mask: Tensor, _ kind: MaskKind) {
    self.mask = mask
    self.kind = kind
  }

  /// [N, classes, height, width]. Either way of resizing the classes of a pixel still add up to one.
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
