import Basics
import Foundation

/// Names and values, one below the other.
func factList(_ facts: [(name: String, value: Markup)]) -> Markup {
  "<dl class=\"facts\">\(facts.map { "<div><dt>\($0.name)</dt><dd>\($0.value)</dd></div>" as Markup })</dl>\n"
}

/// A prominent remark, such as on unfinished work.
func notice(_ sentence: String) -> Markup { "<p class=\"notice\" role=\"note\">\(sentence)</p>\n" }

func paragraph(_ sentence: String) -> Markup { "<p>\(sentence)</p>\n" }

/// A command to copy into a terminal.
func command(_ words: [String]) -> Markup {
  "<pre class=\"command\" tabindex=\"0\"><code>\(words.map(\.quotedForShell).joined(separator: " "))</code></pre>\n"
}

/// Folded content that the reader may open; open in print.
func folded(_ summary: String, _ content: Markup) -> Markup {
  "<details><summary>\(summary)</summary>\n\(content)</details>\n"
}

extension ReportTable {
  /// The table in a frame that scrolls sideways, also by keyboard, if it is wider than the page.
  ///
  /// - Parameter isShown: whether all readers see the caption, or only those who do not see the heading above.
  func html(caption: String, isShown: Bool = true) -> Markup {
    let head = header.enumerated().map { column, name -> Markup in
      column < nameCount ? "<th scope=\"col\" class=\"name\">\(name)</th>" : "<th scope=\"col\">\(name)</th>"
    }
    let lines = rows.enumerated().map { row, cells -> Markup in
      let cells = cells.enumerated().map { column, cell -> Markup in
        if column < nameCount { return "<th scope=\"row\">\(cell)</th>" }
        return best[column]?.contains(row) == true ? "<td><strong>\(cell)</strong></td>" : "<td>\(cell)</td>"
      }
      return "<tr>\(cells)</tr>\n"
    }
    // Keep short names on one line.
    let isShort = rows.allSatisfy { $0.prefix(nameCount).allSatisfy { $0.count <= 24 } }
    let names: Markup = isShort ? " class=\"short\"" : ""
    return """
      <div class="scroll" tabindex="0" role="region" aria-label="\(caption)"><table\(names)>
      <caption\(isShown ? "" : " class=\"unseen\"" as Markup)><span>\(caption)</span></caption>
      <thead><tr>\(head)</tr></thead>
      <tbody>\(lines)</tbody>
      </table></div>

      """
  }
}

extension String {
  /// Quotes a text as one word of a shell command.
  fileprivate var quotedForShell: String {
    let isPlain =
      !isEmpty
      && unicodeScalars.allSatisfy {
        ("a"..."z").contains($0) || ("A"..."Z").contains($0) || ("0"..."9").contains($0)
          || "-_./,=+:@".unicodeScalars.contains($0)
      }
    return isPlain ? self : "'" + replacingOccurrences(of: "'", with: "'\\''") + "'"
  }
}

/// The time of a file's last change, to the minute, in UTC; nil if the file is missing.
func lastChange(of url: URL) -> String? {
  guard let date = try? FileManager.default.attributesOfItem(atPath: url.path)[.modificationDate] as? Date else {
    return nil
  }
  let minute = Date(timeIntervalSince1970: (date.timeIntervalSince1970 / 60).rounded(.down) * 60)
  return minute.formatted(.iso8601).replacingOccurrences(of: "T", with: " ").replacingOccurrences(
    of: ":00Z", with: " UTC")
}

extension URL {
  /// The last two path components, such as `demo/run`, since many runs have one name.
  var lastTwoNames: String { standardizedFileURL.pathComponents.filter { $0 != "/" }.suffix(2).joined(separator: "/") }
}
