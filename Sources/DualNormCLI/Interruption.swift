import Foundation

/// Ctrl-C, SIGTERM and the terminal's end, checked between two steps of work. A second one ends the process at once.
enum Interruption {
  // A signal handler may only set a flag.
  nonisolated(unsafe) private static var received: sig_atomic_t = 0

  static func listen() {
    // The parent may have blocked them, as threads of a dispatch queue do.
    var signals = sigset_t()
    sigemptyset(&signals)
    sigaddset(&signals, SIGINT)
    sigaddset(&signals, SIGTERM)
    pthread_sigmask(SIG_UNBLOCK, &signals, nil)
    // Under nohup, this process outlives the terminal.
    for number in [SIGINT, SIGTERM] + (isIgnored(SIGHUP) ? [] : [SIGHUP]) {
      signal(number) { number in
        Interruption.received = number
        // A second signal ends the process, be it the same or not.
        signal(SIGINT, SIG_DFL)
        signal(SIGTERM, SIG_DFL)
        signal(number, SIG_DFL)
      }
    }
    // A file that may not grow and a pipe without reader are write errors. They do not end the process.
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

  /// The exit code that shells expect after a signal.
  static var exitCode: Int32 { 128 + received }
}
