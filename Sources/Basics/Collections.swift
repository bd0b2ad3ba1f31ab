extension Array where Element: Hashable {
  package var firstOccurrences: [Element] {
    var seen = Set<Element>()
    return filter { seen.insert($0).inserted }
  }
}
