/// A data set with the facts from one reading of it.
package struct CheckedData: Sendable {
  package let dataset: Dataset
  /// Facts of all its cases, without those that only the check compares.
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
