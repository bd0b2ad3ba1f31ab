import MedicalImaging

/// A case of a batch that could not be worked on, while the others were.
public struct CaseFailure: Codable, Equatable, Sendable {
  /// `Case.identifier`.
  public let caseName: String
  /// A sentence that names the file.
  public let reason: String

  public init(_ caseName: String, _ error: any Error) { (self.caseName, reason) = (caseName, "\(error)") }

  /// Whether an error is of one case's files, so that the batch goes on with the others. What cannot be written and what
  /// stops the work is not.
  public static func isOfOneCase(_ error: any Error) -> Bool { error is InputError || error is ImagingError }

  private enum CodingKeys: String, CodingKey {
    case caseName = "case"
    case reason
  }
}
