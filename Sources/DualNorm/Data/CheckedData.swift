/// A data set and what one reading of it found.
public struct CheckedData: Sendable {
  public let dataset: Dataset
  /// Of all its cases, without what only the check compares.
  public let facts: [CaseFacts]

  public init(dataset: Dataset, facts: [CaseFacts]) {
    self.dataset = dataset
    self.facts = facts.map(\.withoutProfile)
  }

  func facts(of identifiers: [String]) -> [CaseFacts] {
    let wanted = Set(identifiers)
    return facts.filter { wanted.contains($0.scan.identifier) }
  }
}
