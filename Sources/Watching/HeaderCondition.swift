import Basics
import Foundation
package import MedicalImaging

/// A condition on an element of a series' first image: one of its values has the form of a pattern.
package struct HeaderCondition: Equatable, Sendable {
  package let element: HeaderElement
  /// A shell pattern, such as `*t2*`; upper and lower case are alike.
  package let pattern: String

  /// - Throws: `Refusal` for an element that rules do not know, or an empty pattern.
  package init(_ element: String, _ pattern: String) throws {
    let known = HeaderElement.allCases.map(\.rawValue)
    guard let found = HeaderElement.allCases.first(where: { $0.rawValue.lowercased() == element.lowercased() }) else {
      throw Refusal(
        .input, "\"\(element)\"", "is no element that a rule can ask for",
        detail: "the elements are \(listed(known, atMost: known.count))",
        question: "did you mean \(nearest(to: element, among: known))")
    }
    guard !pattern.isEmpty else {
      throw Refusal(.input, found.rawValue, "has an empty pattern", remedy: "give one, such as \"*t2*\"")
    }
    (self.element, self.pattern) = (found, pattern)
  }

  package func holds(for header: SeriesHeader) -> Bool { header.values(of: element).contains(where: fits) }

  /// Tells whether a value has the pattern's form.
  func fits(_ value: String) -> Bool {
    // Both systems give FNM_CASEFOLD this number; not every header shows it to Swift.
    let ignoringCase: Int32 = 1 << 4
    return fnmatch(pattern, value, ignoringCase) == 0
  }
}
