import Foundation

/// Ctrl-C and SIGTERM, asked for between two steps of the work. A second one ends the process at once.
enum Interruption {
  // A signal handler may only set a flag.
  nonisolated(unsafe) private static var received: sig_atomic_t = 0

  static func listen() {
    // Whoever started this may have blocked them, as threads of a dispatch queue do.
    var signals = sigset_t()
    sigemptyset(&signals)
    sigaddset(&signals, SIGINT)
    sigaddset(&signals, SIGTERM)
    pthread_sigmask(SIG_UNBLOCK, &signals, nil)
    for number in [SIGINT, SIGTERM] {
      signal(number) { number in
        Interruption.received = number
        signal(number, SIG_DFL)
      }
    }
  }

  static var isRequested: Bool { received != 0 }

  /// `isRequested` as a function.
  static func requested() -> Bool { isRequested }

  /// What a shell expects of a command that a signal stopped.
  static var exitCode: Int32 { 128 + received }
}
