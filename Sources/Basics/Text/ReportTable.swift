/// A table for readers, as Markdown or as aligned columns in a terminal.
package struct ReportTable {
  /// The number of name columns, aligned left; number columns follow, aligned right.
  package let nameCount: Int
  package let header: [String]
  package var rows: [[String]]
  /// For each column, the rows marked as best.
  package var best: [Int: Set<Int>] = [:]

  package init(nameCount: Int, header: [String], rows: [[String]], best: [Int: Set<Int>] = [:]) {
    self.nameCount = nameCount
    self.header = header
    self.rows = rows
    self.best = best
  }

  /// GitHub Markdown; the best cells are bold.
  package var markdown: String {
    let alignment = header.indices.map { $0 < nameCount ? ":---" : "---:" }
    let lines = rows.enumerated().map { row, cells in
      cells.enumerated().map { column, cell in
        isBest(row, column) ? "**\(cell.escapedForMarkdown)**" : cell.escapedForMarkdown
      }
    }
    return ([header.map(\.escapedForMarkdown), alignment] + lines).map { "| " + $0.joined(separator: " | ") + " |\n" }
      .joined()
  }

  /// Aligned columns; the best cells have a star.
  package var text: String {
    let lines = rows.enumerated().map { row, cells in
      cells.enumerated().map { column, cell in
        cell.onOneLine + (isBest(row, column) ? "*" : best[column] != nil ? " " : "")
      }
    }
    return fixedWidth([header.map(\.onOneLine)] + lines, leftAligned: nameCount)
  }

  private func isBest(_ row: Int, _ column: Int) -> Bool { best[column]?.contains(row) ?? false }
}

extension String {
  fileprivate var onOneLine: String { String(map { $0.isNewline ? " " : $0 }) }

  fileprivate var escapedForMarkdown: String {
    onOneLine.reduce(into: "") { text, character in
      if "|*`\\".contains(character) { text.append("\\") }
      text.append(character)
    }
  }
}
