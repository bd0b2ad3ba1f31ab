import Basics
import Foundation

/// Names and values, one below the other.
func factList(_ facts: [(name: String, value: Markup)]) -> Markup {
  "<dl class=\"facts\">\(facts.map { "<div><dt>\($0.name)</dt><dd>\($0.value)</dd></div>" as Markup })</dl>\n"
}

/// A remark that should not be missed, such as what is unfinished.
func notice(_ sentence: String) -> Markup { "<p class=\"notice\" role=\"note\">\(sentence)</p>\n" }

func paragraph(_ sentence: String) -> Markup { "<p>\(sentence)</p>\n" }

/// Something to copy into a terminal.
func command(_ words: [String]) -> Markup {
  "<pre class=\"command\" tabindex=\"0\"><code>\(words.map(\.quotedForShell).joined(separator: " "))</code></pre>\n"
}

/// What the reader opens if it is wanted; on paper it is open.
func folded(_ summary: String, _ content: Markup) -> Markup {
  "<details><summary>\(summary)</summary>\n\(content)</details>\n"
}

extension ReportTable {
  /// Scrolls sideways, by keys too, where it is wider than the page.
  ///
  /// - Parameter isShown: whether the caption is for all, or for those who do not see the heading above.
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
    // Short names stay in one line.
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
  /// As one word of a shell's command.
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

/// When a file was last written, to the minute, in UTC; nil where there is none.
func lastChange(of url: URL) -> String? {
  guard let date = try? FileManager.default.attributesOfItem(atPath: url.path)[.modificationDate] as? Date else {
    return nil
  }
  let minute = Date(timeIntervalSince1970: (date.timeIntervalSince1970 / 60).rounded(.down) * 60)
  return minute.formatted(.iso8601).replacingOccurrences(of: "T", with: " ").replacingOccurrences(
    of: ":00Z", with: " UTC")
}

extension URL {
  /// `demo/run`: many runs have one name.
  var lastTwoNames: String { standardizedFileURL.pathComponents.filter { $0 != "/" }.suffix(2).joined(separator: "/") }
}
