/// Adjusts p-values for multiple comparisons (Holm, 1979).
///
/// Rejecting those below α keeps the chance of any false rejection below α. The i-th smallest of m, from 0, becomes the
/// largest of (m − j) pⱼ over j ≤ i, at most 1.
///
/// - Returns: adjusted p-values in the order of `pValues`.
func holmAdjusted(_ pValues: [Double]) -> [Double] {
  let ascending = pValues.indices.sorted { (pValues[$0], $0) < (pValues[$1], $1) }
  var adjusted = pValues
  var largest = 0.0
  for (place, index) in ascending.enumerated() {
    largest = max(largest, Double(pValues.count - place) * pValues[index])
    adjusted[index] = min(1, largest)
  }
  return adjusted
}
