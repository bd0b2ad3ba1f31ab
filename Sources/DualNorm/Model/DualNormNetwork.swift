public import Torch

/// A backbone with its parameters, and the method's two passes over it (`forEachPass`).
public final class DualNormNetwork {
  let plan: NetworkPlan
  public let parameters: Parameters
  /// Arithmetic of the convolutions. A runtime setting, not saved with the model.
  package var precision = Precision.float32
  /// The network's device. A runtime setting, too.
  package var device: Device { parameters.device }
  /// Tells whether to run norm, ReLU and convolution as one operation, equal up to rounding. They run one by one on a
  /// device without fused operations (`Device.reasonNotToFuse`).
  package var fusesOperations = true

  private let backbone: any Backbone

  /// - Throws: `Refusal` for an invalid plan.
  public init(_ plan: NetworkPlan, seed: UInt64, device: Device = .cpu) throws {
    try plan.validate()
    self.plan = plan
    parameters = Parameters(seed: seed, device: device)
    backbone = plan.architecture.backbone.init(Scope(parameters), plan)
  }

  /// Maps images [N, inputChannels, H, W] to logits [N, classes, H, W] of the middle slice, or volumes [N, inputChannels,
  /// D, H, W] to logits of every voxel.
  ///
  /// Without a mask this is the first pass. With a mask [N, classes, H, W], dual blocks use their dual norms.
  /// Domain-specific batch norm of several sites needs the site of each row.
  func callAsFunction(_ images: Tensor, mask: Tensor? = nil, sites: SiteRows? = nil, _ mode: Mode) -> Tensor {
    logits(images, mask: mask, sites: sites, mode).full
  }

  /// Tells whether this network runs fused operations on its device.
  var fuses: Bool { fusesOperations && device.reasonNotToFuse == nil }

  func logits(_ images: Tensor, mask: Tensor?, sites: SiteRows?, _ mode: Mode) -> PassLogits {
    let mask = mask.flatMap { mask in plan.dual.map { MaskLevels(mask, $0.maskKind) } }
    let context = ForwardContext(mask: mask, sites: sites, mode: mode, fuses: fuses)
    let levels = withPrecision(precision, on: device) { backbone(images, context) }.map { $0.converted(to: .float32) }
    return PassLogits(
      full: levels[0],
      coarse: levels.dropFirst().map { $0.resizedLinearly(like: images) })
  }

  /// The dual norms of each block that has any, from input to output.
  var dualNorms: [(block: Block, norms: [DualNormLayer])] { backbone.dualNorms }
}

/// The logits of one pass.
public struct PassLogits {
  /// [N, classes, H, W]
  public let full: Tensor
  /// Logits of coarser levels, resized to full size, the finest first. Only training with deep supervision has them.
  var coarse: [Tensor] = []
}
