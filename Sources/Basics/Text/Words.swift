import Foundation

/// Lists the first names and counts the rest: `a, b, c and 4 more`.
package func listed(_ names: [String], atMost limit: Int = 3) -> String {
  if names.count > limit {
    return names.prefix(limit).joined(separator: ", ") + " and \(names.count - limit) more"
  }
  guard let last = names.last, names.count > 1 else { return names.first ?? "" }
  return names.dropLast().joined(separator: ", ") + " and " + last
}

/// `1 case`, `2 cases`.
package func counted(_ count: Int, _ noun: String, plural: String? = nil) -> String {
  "\(count) \(count == 1 ? noun : plural ?? noun + "s")"
}

/// Shortens text from a user's file for a message: one line, at most 80 characters.
package func quoted(_ text: String) -> String {
  // A single letter can have megabytes of accents.
  let start = String(text.unicodeScalars.prefix(400))
  let line = String(start.map { $0.isNewline || $0 == "\0" ? " " : $0 })
  let isWhole = start.utf8.count == text.utf8.count
  return line.count > 80 || !isWhole ? line.prefix(77) + "..." : line
}

/// Formats a number for a message: up to four decimals, none from 100,000 on, powers of ten from 10⁹ on.
package func short(_ value: Double) -> String {
  let size = abs(value)
  return size >= 1e9
    ? String(format: "%.4g", value) : String(format: size >= 1e5 ? "%.0f" : "%g", (value * 1e4).rounded() / 1e4)
}

/// Formats a number with every digit it needs, but 2 instead of 2.0.
package func shortest(_ number: Double) -> String {
  let text = String(number)
  return text.hasSuffix(".0") ? String(text.dropLast(2)) : text
}

package func fixed(_ number: Double, decimals: Int) -> String { String(format: "%.\(decimals)f", number) }
