import Foundation
import HTTPTypes

/// Values that clients come back for by an identifier nobody can guess. They go when nobody asks for a while.
actor KeptValues<Value: Sendable> {
  private struct Kept {
    let value: Value
    var lastAsked: Date
  }

  private var values: [String: Kept] = [:]
  private let seconds: Int
  private let most: Int

  /// - Parameters:
  ///   - seconds: how long a value stays without being asked for.
  ///   - most: the largest number of values.
  init(seconds: Int, most: Int = 1000) { (self.seconds, self.most) = (seconds, most) }

  /// Keeps a value.
  ///
  /// - Throws: `ServiceError` if there are too many.
  func add(_ value: Value, now: Date = Date()) throws -> String {
    removeOld(now: now)
    guard values.count < most else {
      throw ServiceError(
        .serviceUnavailable, "The server keeps \(most) uploads already; try again later.", retryAfter: 60)
    }
    var random = SystemRandomNumberGenerator()
    let identifier = [random.next(), random.next()].map { number in
      let digits = String(number as UInt64, radix: 16)
      return String(repeating: "0", count: 16 - digits.count) + digits
    }.joined()
    values[identifier] = Kept(value: value, lastAsked: now)
    return identifier
  }

  /// - Throws: `ServiceError` for an identifier without a value.
  func value(_ identifier: String, now: Date = Date()) throws -> Value {
    removeOld(now: now)
    guard let kept = values[identifier] else {
      throw ServiceError.notFound("There is no such upload, or it was removed.")
    }
    values[identifier]!.lastAsked = now
    return kept.value
  }

  func remove(_ identifier: String) -> Value? { values.removeValue(forKey: identifier)?.value }

  func removeAll() -> [Value] {
    defer { values = [:] }
    return values.values.map(\.value)
  }

  var count: Int { values.count }

  /// Removes what nobody asked for.
  func removeOld(now: Date = Date()) {
    values = values.filter { now.timeIntervalSince($0.value.lastAsked) < Double(seconds) }
  }
}
