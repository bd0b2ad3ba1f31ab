import Foundation
import Testing

@testable import DualNorm

@Suite struct BatchLoaderTests {
  private static func slice(_ number: Int) -> TrainingExample {
    TrainingExample(image: [Float(number)], labels: [0], channels: 1, extent: Extent(height: 1, width: 1))
  }

  @Test(arguments: [1, 3]) func batchesComeInOrderWhateverTheThreads(threads: Int) throws {
    let loader = BatchLoader(batches: 2..<40, threads: threads) { index in
      if index % 3 == 0 { usleep(2000) }
      return [Self.slice(index)]
    }
    var seen: [Float] = []
    while let batch = try loader.next() { seen.append(batch[0].image[0]) }
    #expect(seen == (2..<40).map(Float.init))
    #expect(try loader.next() == nil)
  }

  @Test func noMoreThanTheCapacityIsMadeAhead() throws {
    let made = Counter()
    let loader = BatchLoader(batches: 0..<100, threads: 2, capacity: 3) { index in
      made.add()
      return [Self.slice(index)]
    }
    usleep(200_000)
    #expect(made.value == 3)
    _ = try loader.next()
    usleep(200_000)
    #expect(made.value == 4)
    loader.close()
    #expect(try loader.next() == nil)
  }

  /// Earlier batches come first, then the error in place of its batch, then nothing.
  @Test(arguments: [1, 3]) func anErrorComesInPlaceOfItsBatch(threads: Int) throws {
    struct Broken: Error {}
    let loader = BatchLoader(batches: 0..<40, threads: threads) { index in
      if index == 5 { throw Broken() }
      return [Self.slice(index)]
    }
    for index in 0..<5 { #expect(try loader.next()?[0].image == [Float(index)]) }
    #expect(throws: Broken.self) { try loader.next() }
    #expect(try loader.next() == nil)
  }
}

private final class Counter: @unchecked Sendable {
  private let lock = NSLock()
  private var count = 0

  func add() { lock.withLock { count += 1 } }
  var value: Int { lock.withLock { count } }
}
