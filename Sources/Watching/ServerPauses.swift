import Foundation

/// Servers that could not be reached or refused a mask, and when each may be asked again.
struct ServerPauses {
  private var pauses: [String: (failures: Int, end: ContinuousClock.Instant)] = [:]
  private let first: TimeInterval
  private let longest: TimeInterval

  /// - Parameters:
  ///   - first: seconds after the first failure. Each further one doubles them.
  ///   - longest: the most seconds.
  init(first: TimeInterval = 10, longest: TimeInterval = 600) { (self.first, self.longest) = (first, longest) }

  func mayAsk(_ server: String, at time: ContinuousClock.Instant = .now) -> Bool {
    pauses[server].map { $0.end <= time } ?? true
  }

  /// - Returns: the seconds until the server is asked again.
  mutating func fail(_ server: String, at time: ContinuousClock.Instant = .now) -> TimeInterval {
    let failures = (pauses[server]?.failures ?? 0) + 1
    let seconds = min(longest, first * pow(2, Double(min(failures, 20) - 1)))
    pauses[server] = (failures, time + .seconds(seconds))
    return seconds
  }

  mutating func succeed(_ server: String) { pauses[server] = nil }
}
