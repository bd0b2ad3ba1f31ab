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

/// How many letters must be changed, added or left out to make one word of the other (Levenshtein). Of words that are longer
/// than any name only the beginnings count.
package func editDistance(_ a: String, _ b: String) -> Int { editDistance(compared(a), compared(b), below: Int.max) }

/// The letters of a name that are compared: a file may hold names of megabytes, and the work grows by their square. File
/// systems have names of up to 255 bytes.
private func compared(_ name: String) -> [Character] { Array(String(name.unicodeScalars.prefix(255))) }

/// - Returns: some number from `limit` on where the distance is not below it.
private func editDistance(_ a: [Character], _ b: [Character], below limit: Int) -> Int {
  guard abs(a.count - b.count) < limit else { return limit }
  var row = Array(0...b.count)
  for (i, x) in a.enumerated() {
    var diagonal = row[0]
    row[0] = i + 1
    for (j, y) in b.enumerated() {
      (diagonal, row[j + 1]) = (row[j + 1], min(row[j] + 1, row[j + 1] + 1, diagonal + (x == y ? 0 : 1)))
    }
    // It never falls from row to row.
    guard row.min()! < limit else { return limit }
  }
  return row[b.count]
}
