import Torch

/// The inputs of a forward pass besides images and weights.
struct ForwardContext {
  /// The mask of the final pass; nil in the first.
  let mask: MaskLevels?
  /// The site of each row; only domain-specific batch norm uses it.
  let sites: SiteRows?
  let mode: Mode
  /// Tells whether to run norm, ReLU and convolution as one operation if there is one.
  let fuses: Bool
}
