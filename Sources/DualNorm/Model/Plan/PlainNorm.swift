/// The normalization of the first pass.
public enum PlainNorm: String, Codable, Sendable, CaseIterable {
  /// Batch, instance, group and layer normalization.
  case bn, `in`, gn, ln
  /// Domain-specific batch normalization (Chang et al., CVPR 2019): a batch norm for each training site.
  case dsbn

  /// Number of groups of group norm.
  static let groups = 16
}
