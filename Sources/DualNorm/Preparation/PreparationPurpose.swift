/// What a volume is prepared for.
package enum PreparationPurpose: Sendable {
  /// Batches hold windows of one size.
  case training
  /// The network sees whole slices.
  case prediction
}
