import Foundation

/// A `Progress` that several threads may update.
final class ThreadSafeProgress: @unchecked Sendable {
  // `lock` guards `progress`.
  private let lock = NSLock()
  private var progress: Progress?
  private let unit: String
  private let quiet: Bool

  init(_ unit: String, quiet: Bool) {
    self.unit = unit
    self.quiet = quiet
  }

  /// Shows that `done` of `total` items are finished.
  @Sendable func update(_ done: Int, of total: Int) {
    lock.withLock {
      let progress = self.progress ?? Progress(unit, of: total, quiet: quiet)
      self.progress = progress
      progress.advance(by: done - progress.done)
    }
  }

  func clear() { lock.withLock { progress?.clear() } }

  /// Clears what is shown; the next update begins anew.
  func end() {
    lock.withLock {
      progress?.clear()
      progress = nil
    }
  }
}
