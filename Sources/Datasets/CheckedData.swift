/// A data set and what one reading of it found.
package struct CheckedData: Sendable {
  package let dataset: Dataset
  /// Of all its cases, without what only the check compares.
  package let facts: [CaseFacts]

  package init(dataset: Dataset, facts: [CaseFacts]) {
    self.dataset = dataset
    self.facts = facts.map(\.withoutProfile)
  }

  package func facts(of identifiers: [String]) -> [CaseFacts] {
    let wanted = Set(identifiers)
    return facts.filter { wanted.contains($0.scan.identifier) }
  }
}
