import Foundation
import Testing

@testable import Serving

@Suite struct KeptValuesTests {
  /// Tells when it goes.
  private final class Thing: Sendable {
    let gone: @Sendable () -> Void
    init(gone: @escaping @Sendable () -> Void = {}) { self.gone = gone }
    deinit { gone() }
  }

  @Test func identifiersCannotBeGuessed() async throws {
    let kept = KeptValues<Int>(seconds: 60)
    var identifiers: Set<String> = []
    for number in 0..<500 {
      let identifier = try await kept.add(number)
      #expect(identifier.wholeMatch(of: /[0-9a-f]{32}/) != nil)
      #expect(try await kept.value(identifier) == number)
      identifiers.insert(identifier)
    }
    #expect(identifiers.count == 500)
    // No half of one is another's: 64 bits each.
    #expect(Set(identifiers.flatMap { [$0.prefix(16), $0.suffix(16)] }).count == 1000)
    for name in ["", "x", "../..", String(repeating: "0", count: 32)] {
      await #expect(throws: ServiceError.self) { try await kept.value(name) }
      #expect(await kept.remove(name) == nil)
    }
  }

  @Test func valuesGoWhenNobodyAsks() async throws {
    let (kept, start) = (KeptValues<Thing>(seconds: 10), Date())
    try await confirmation(expectedCount: 1) { gone in
      let asked = try await kept.add(Thing(), now: start)
      _ = try await kept.add(Thing { gone() }, now: start)
      for seconds in [6.0, 12, 18] { _ = try await kept.value(asked, now: start + seconds) }
      #expect(await kept.count == 1)
      #expect(await kept.remove(asked) != nil)
      #expect(await kept.count == 0)
      await #expect(throws: ServiceError.self) { try await kept.value(asked) }
    }
    let unasked = try await kept.add(Thing(), now: start)
    await kept.removeOld(now: start + 9.9)
    #expect(await kept.count == 1)
    await #expect(throws: ServiceError.self) { try await kept.value(unasked, now: start + 10) }
    #expect(await kept.count == 0)
  }

  @Test func aBoundedNumber() async throws {
    let kept = KeptValues<Int>(seconds: 60, most: 2)
    for number in 0..<2 { _ = try await kept.add(number) }
    await #expect { try await kept.add(2) } throws: { error in
      (error as? ServiceError)?.status == .serviceUnavailable && (error as? ServiceError)?.retryAfter == 60
    }
    #expect(await kept.removeAll().sorted() == [0, 1])
    #expect(await kept.count == 0)
    _ = try await kept.add(3)
  }
}
