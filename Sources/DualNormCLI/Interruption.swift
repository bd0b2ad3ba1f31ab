import Foundation

/// Ctrl-C, SIGTERM and the end of the terminal, asked for between two steps of the work. A second one ends the process at once.
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
    // Under nohup the end of the terminal is none of this process.
    for number in [SIGINT, SIGTERM] + (isIgnored(SIGHUP) ? [] : [SIGHUP]) {
      signal(number) { number in
        Interruption.received = number
        signal(number, SIG_DFL)
      }
    }
    // A file that may not grow and a pipe that nobody reads are errors of the writing, not the end of the process.
    signal(SIGXFSZ, SIG_IGN)
    signal(SIGPIPE, SIG_IGN)
  }

  private static func isIgnored(_ number: Int32) -> Bool {
    var action = sigaction()
    guard sigaction(number, nil, &action) == 0 else { return false }
    #if canImport(Darwin)
      let handler = action.__sigaction_u.__sa_handler
    #else
      let handler = action.__sigaction_handler.sa_handler
    #endif
    return unsafeBitCast(handler, to: Int.self) == unsafeBitCast(SIG_IGN, to: Int.self)
  }

  static var isRequested: Bool { received != 0 }

  /// `isRequested` as a function.
  @Sendable static func requested() -> Bool { isRequested }

  /// What a shell expects of a command that a signal stopped.
  static var exitCode: Int32 { 128 + received }
}
