import Basics
import Foundation

/// The progress of a long command on standard error, with rate and time left.
///
/// A terminal shows one line that is rewritten. Otherwise a line is printed every few seconds, and none if quiet.
final class Progress {
  /// Seconds between two printed lines without a terminal.
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
  ///   - unit: the counted unit in the plural, such as "slices".
  ///   - done: the count of an earlier run.
  ///   - delay: seconds before the first line without a terminal.
  init(_ unit: String, of total: Int, done: Int = 0, quiet: Bool, delay: Double = interval) {
    self.unit = unit
    self.total = total
    self.done = done
    startedAt = done
    isShown = !quiet && total > 0
    // A log needs no line for work that ends within a moment.
    lastShown = isTerminal ? .distantPast : start.addingTimeInterval(delay - Self.interval)
  }

  /// Counts `count` more items, and shows the progress if it is due.
  ///
  /// - Parameter detail: the current case; `--verbose` shows each one and its duration.
  func advance(by count: Int = 1, _ detail: @autoclosure () -> String = "") {
    if Messages.isVerbose, !detail().isEmpty { showStep(detail()) }
    if self.count(count, every: isTerminal ? 0.2 : Self.interval, orAtTheEnd: isTerminal || hasShown) { show(detail()) }
  }

  /// Counts one more item; returns whether the caller should show the progress now.
  func count() -> Bool { count(1, every: Self.interval, orAtTheEnd: true) }

  private func count(_ count: Int, every seconds: Double, orAtTheEnd: Bool) -> Bool {
    done += count
    let now = Date()
    let isDue = now.timeIntervalSince(lastShown) >= seconds
    guard isShown, isDue || (done == total && orAtTheEnd) else { return false }
    (lastShown, hasShown) = (now, true)
    return true
  }

  /// Items per second.
  var rate: Double { Double(done - startedAt) / max(Date().timeIntervalSince(start), 1e-3) }

  /// nil before the first item.
  var secondsLeft: Double? { rate > 0 ? Double(total - done) / rate : nil }

  /// Counts `count` items that took no time, because an earlier run did them or nobody will.
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
      // A longer line would wrap, and its first part would stay.
      line = String(line.prefix(Self.terminalWidth - 1))
      let padding = String(repeating: " ", count: max(0, lastWidth - line.count))
      lastWidth = line.count
      Messages.shown = self
      printError("\r" + line + padding, terminator: "")
    } else {
      printError(line)
    }
  }

  /// Clears the terminal's line for other output.
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
