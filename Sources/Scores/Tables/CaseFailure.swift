import Basics
import MedicalImaging

/// A case of a batch that could not be worked on, while the others were.
package struct CaseFailure: Codable, Equatable, Sendable {
  /// `Case.identifier`.
  package let caseName: String
  /// A sentence that names the file.
  package let reason: String

  package init(_ caseName: String, _ error: any Error) { (self.caseName, reason) = (caseName, "\(error)") }

  /// Whether an error is of one case's files, so that the batch goes on with the others. What cannot be written and what
  /// stops the work is not.
  package static func isOfOneCase(_ error: any Error) -> Bool { error is InputError || error is ImagingError }

  private enum CodingKeys: String, CodingKey {
    case caseName = "case"
    case reason
  }
}
