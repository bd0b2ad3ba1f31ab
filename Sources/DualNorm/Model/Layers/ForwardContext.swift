import Torch

/// What a forward pass depends on besides its images and weights.
struct ForwardContext {
  /// In the final pass; nil in the first.
  let mask: MaskLevels?
  /// Only domain-specific batch norm looks at it.
  let sites: SiteRows?
  let mode: Mode
  /// Tells whether norm, ReLU and convolution are one operation where there is one.
  let fuses: Bool
}
