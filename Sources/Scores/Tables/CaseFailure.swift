import Basics
import MedicalImaging

/// A case of a batch that failed while the others went on.
package struct CaseFailure: Codable, Equatable, Sendable {
  /// `Case.identifier`.
  package let caseName: String
  /// A sentence that names the file.
  package let reason: String

  package init(_ caseName: String, _ error: any Error) { (self.caseName, reason) = (caseName, "\(error)") }

  /// Tells whether an error concerns one case's files only, so that the batch continues with the others.
  ///
  /// Failed writes and requests to stop do not.
  package static func isOfOneCase(_ error: any Error) -> Bool {
    [.input, .image].contains((error as? Refusal)?.kind)
  }

  private enum CodingKeys: String, CodingKey {
    case caseName = "case"
    case reason
  }
}
