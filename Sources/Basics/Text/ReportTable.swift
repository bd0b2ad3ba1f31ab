/// Cells for people, as a Markdown table or in columns of a terminal.
package struct ReportTable {
  /// The columns of names, which are on the left; numbers are on the right.
  package let nameCount: Int
  package let header: [String]
  package var rows: [[String]]
  /// By column, the rows that are marked.
  package var best: [Int: Set<Int>] = [:]

  package init(nameCount: Int, header: [String], rows: [[String]], best: [Int: Set<Int>] = [:]) {
    self.nameCount = nameCount
    self.header = header
    self.rows = rows
    self.best = best
  }

  /// GitHub's form; the best cells in bold.
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

  /// The best cells have a star.
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
