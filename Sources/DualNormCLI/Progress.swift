import Basics
import Foundation

/// How far a long command is, on standard error, with rate and time left: one line rewritten on a terminal, a plain
/// line every few seconds elsewhere, nothing when quiet.
final class Progress {
  /// Seconds between two lines that no terminal rewrites.
  static let interval = 10.0

  private let unit: String
  let total: Int
  private let isShown: Bool
  private let isTerminal = isatty(STDERR_FILENO) == 1
  private let start = Date()
  private var startedAt: Int
  private var lastShown: Date
  private var lastStep = Date()
  private var hasShown = false
  private var lastWidth = 0
  private(set) var done: Int

  /// - Parameters:
  ///   - unit: what is counted, in the plural: "slices".
  ///   - done: what an earlier run did already.
  ///   - delay: seconds before the first line, where it is no terminal that shows it.
  init(_ unit: String, of total: Int, done: Int = 0, quiet: Bool, delay: Double = interval) {
    self.unit = unit
    self.total = total
    self.done = done
    startedAt = done
    isShown = !quiet && total > 0
    // A log needs no line of a job that is done within a moment.
    lastShown = isTerminal ? .distantPast : start.addingTimeInterval(delay - Self.interval)
  }

  /// Counts `count` more as done and shows it, but not too often.
  ///
  /// - Parameter detail: the case at hand; `--verbose` shows each, and how long it took.
  func advance(by count: Int = 1, _ detail: @autoclosure () -> String = "") {
    if Messages.isVerbose, !detail().isEmpty { showStep(detail()) }
    if self.count(count, every: isTerminal ? 0.2 : Self.interval, orAtTheEnd: isTerminal || hasShown) { show(detail()) }
  }

  /// Counts one more as done, which somebody else shows where this says that it is time to.
  func count() -> Bool { count(1, every: Self.interval, orAtTheEnd: true) }

  private func count(_ count: Int, every seconds: Double, orAtTheEnd: Bool) -> Bool {
    done += count
    let now = Date()
    let isDue = now.timeIntervalSince(lastShown) >= seconds
    guard isShown, isDue || (done == total && orAtTheEnd) else { return false }
    (lastShown, hasShown) = (now, true)
    return true
  }

  /// What is done a second.
  var rate: Double { Double(done - startedAt) / max(Date().timeIntervalSince(start), 1e-3) }

  /// Nil before anything is done.
  var secondsLeft: Double? { rate > 0 ? Double(total - done) / rate : nil }

  /// Counts `count` more as done that took no time: an earlier run did them, or nobody will.
  func skip(_ count: Int) {
    done += count
    startedAt += count
  }

  private func show(_ detail: String) {
    Messages.lock.withLock {
      guard Messages.format == .text else {
        let line = LogLine(
          unit: unit, detail: detail.isEmpty ? nil : detail, done: done, total: total, rate: rate,
          secondsLeft: secondsLeft)
        return Messages.print(nil, line)
      }
      showText(detail)
    }
  }

  private func showStep(_ detail: String) {
    let now = Date()
    Messages.say("\(detail): \(String(format: "%.1f", now.timeIntervalSince(lastStep))) s")
    lastStep = now
  }

  private func showText(_ detail: String) {
    let rate = rate
    var line = "\(done)/\(total) \(unit)"
    if rate > 0 {
      line += String(format: ", %.*f/s", rate < 10 ? 1 : 0, rate)
      if done < total { line += ", \(Self.duration(Double(total - done) / rate)) left" }
    }
    if !detail.isEmpty { line += " · \(printable(detail))" }
    if isTerminal {
      // A longer line would go on in the next one and stay there.
      line = String(line.prefix(Self.terminalWidth - 1))
      let padding = String(repeating: " ", count: max(0, lastWidth - line.count))
      lastWidth = line.count
      Messages.shown = self
      printError("\r" + line + padding, terminator: "")
    } else {
      printError(line)
    }
  }

  /// Clears the terminal's line, so that something else can be printed.
  func clear() {
    Messages.lock.withLock {
      guard isShown, isTerminal, lastWidth > 0 else { return }
      printError("\r" + String(repeating: " ", count: lastWidth) + "\r", terminator: "")
      lastWidth = 0
    }
  }

  private static var terminalWidth: Int {
    var size = winsize()
    return ioctl(STDERR_FILENO, UInt(TIOCGWINSZ), &size) == 0 && size.ws_col > 0 ? Int(size.ws_col) : 80
  }

  /// `1 h 05 min`, `12 min 30 s` or `8 s`.
  static func duration(_ seconds: Double) -> String {
    let seconds = Int(min(seconds, 1e8).rounded())
    if seconds >= 3600 { return String(format: "%d h %02d min", seconds / 3600, seconds % 3600 / 60) }
    if seconds >= 60 { return String(format: "%d min %02d s", seconds / 60, seconds % 60) }
    return "\(seconds) s"
  }
}
