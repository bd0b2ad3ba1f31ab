import Foundation

/// Aligns rows in columns two spaces apart: the first `leftAligned` columns to the left, the others to the right.
package func fixedWidth(_ rows: [[String]], leftAligned: Int) -> String {
  let rows = rows.map { $0.map(printable) }
  let widths = rows[0].indices.map { column in rows.map { $0[column].count }.max() ?? 0 }
  return rows.map { row in
    let cells = zip(row, widths).enumerated().map { column, cell in
      let padding = String(repeating: " ", count: cell.1 - cell.0.count)
      return column < leftAligned ? cell.0 + padding : padding + cell.0
    }
    return cells.joined(separator: "  ").trimmingTrailingSpaces + "\n"
  }.joined()
}

extension String {
  fileprivate var trimmingTrailingSpaces: String {
    var text = self[...]
    while text.last == " " { text.removeLast() }
    return String(text)
  }
}
