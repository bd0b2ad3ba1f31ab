import Foundation

/// Messages go to standard error, so that standard output holds results only.
func printError(_ message: String, terminator: String = "\n") {
  FileHandle.standardError.write(Data((message + terminator).utf8))
}

/// How far a command is, on standard error: one line rewritten on a terminal, a line every tenth elsewhere.
final class ProgressLine {
  private let isShown: Bool
  private let isTerminal = isatty(STDERR_FILENO) == 1
  private var lastTenth = 0

  init(isShown: Bool) { self.isShown = isShown }

  func show(_ what: String, done: Int, total: Int) {
    guard isShown, total > 0 else { return }
    let text = "\(what) \(100 * done / total)%"
    if isTerminal {
      printError("\r\(text)", terminator: "")
    } else if 10 * done / total > lastTenth {
      lastTenth = 10 * done / total
      printError(text)
    }
  }

  func clear() {
    if isShown, isTerminal { printError("\r\u{1B}[K", terminator: "") }
  }
}
