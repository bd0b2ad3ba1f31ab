import Foundation

/// How far a long command is, on standard error, with rate and time left: one line rewritten on a terminal, a plain
/// line every few seconds elsewhere, nothing when quiet.
final class Progress {
  private let unit: String
  private let total: Int
  private let isShown: Bool
  private let isTerminal = isatty(STDERR_FILENO) == 1
  private let start = Date()
  private var startedAt: Int
  private var lastShown: Date
  private var hasShown = false
  private var lastWidth = 0
  private(set) var done: Int

  /// - Parameters:
  ///   - unit: what is counted, in the plural: "slices".
  ///   - done: what an earlier run did already.
  init(_ unit: String, of total: Int, done: Int = 0, quiet: Bool) {
    self.unit = unit
    self.total = total
    self.done = done
    startedAt = done
    isShown = !quiet && total > 0
    // A log needs no line of a job that is done within a moment.
    lastShown = isTerminal ? .distantPast : start
  }

  /// Counts `count` more as done and shows it, but not too often.
  func advance(by count: Int = 1, _ detail: @autoclosure () -> String = "") {
    done += count
    let now = Date()
    let isDue = now.timeIntervalSince(lastShown) >= (isTerminal ? 0.2 : 10)
    guard isShown, isDue || (done == total && (isTerminal || hasShown)) else { return }
    (lastShown, hasShown) = (now, true)
    show(detail(), at: now)
  }

  /// Counts `count` more as done that took no time: an earlier run did them, or nobody will.
  func skip(_ count: Int) {
    done += count
    startedAt += count
  }

  private func show(_ detail: String, at now: Date) {
    let elapsed = max(now.timeIntervalSince(start), 1e-3)
    let rate = Double(done - startedAt) / elapsed
    var line = "\(done)/\(total) \(unit)"
    if rate > 0 {
      line += String(format: ", %.*f/s", rate < 10 ? 1 : 0, rate)
      if done < total { line += ", \(Self.duration(Double(total - done) / rate)) left" }
    }
    if !detail.isEmpty { line += " · \(detail)" }
    if isTerminal {
      let padding = String(repeating: " ", count: max(0, lastWidth - line.count))
      lastWidth = line.count
      printError("\r" + line + padding, terminator: "")
    } else {
      printError(line)
    }
  }

  /// Clears the terminal's line, so that something else can be printed.
  func clear() {
    guard isShown, isTerminal, lastWidth > 0 else { return }
    printError("\r" + String(repeating: " ", count: lastWidth) + "\r", terminator: "")
    lastWidth = 0
  }

  /// `1 h 05 min`, `12 min 30 s` or `8 s`.
  static func duration(_ seconds: Double) -> String {
    let seconds = Int(min(seconds, 1e8).rounded())
    if seconds >= 3600 { return String(format: "%d h %02d min", seconds / 3600, seconds % 3600 / 60) }
    if seconds >= 60 { return String(format: "%d min %02d s", seconds / 60, seconds % 60) }
    return "\(seconds) s"
  }
}
