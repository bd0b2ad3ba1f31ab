/// The role of a case in the training.
package enum TrainingSide: String, CaseIterable, Codable, Sendable {
  case training, validation, test
  /// A case that the training did not have.
  case new
}
