/// The candidate that takes the fewest edits to become `name`.
package func nearest(to name: String, among candidates: [String]) -> String {
  let name = compared(name)
  var best: (candidate: String, distance: Int)?
  for candidate in candidates {
    let distance = editDistance(name, compared(candidate), below: best?.distance ?? Int.max)
    if distance < best?.distance ?? Int.max { best = (candidate, distance) }
  }
  return best?.candidate ?? ""
}

/// The Levenshtein distance: the fewest letters to change, insert or delete to turn one word into the other.
///
/// Words longer than 255 Unicode scalars are compared by their beginnings.
package func editDistance(_ a: String, _ b: String) -> Int { editDistance(compared(a), compared(b), below: Int.max) }

/// The letters of a name to compare: its first 255 Unicode scalars.
///
/// The work grows with the square of the length, and a file may hold names of megabytes. File systems allow 255 bytes.
private func compared(_ name: String) -> [Character] { Array(String(name.unicodeScalars.prefix(255))) }

/// - Returns: the distance, or some number of at least `limit` if the distance is not below it.
private func editDistance(_ a: [Character], _ b: [Character], below limit: Int) -> Int {
  guard abs(a.count - b.count) < limit else { return limit }
  var row = Array(0...b.count)
  for (i, x) in a.enumerated() {
    var diagonal = row[0]
    row[0] = i + 1
    for (j, y) in b.enumerated() {
      (diagonal, row[j + 1]) = (row[j + 1], min(row[j] + 1, row[j + 1] + 1, diagonal + (x == y ? 0 : 1)))
    }
    // The minimum never falls from row to row.
    guard row.min()! < limit else { return limit }
  }
  return row[b.count]
}
