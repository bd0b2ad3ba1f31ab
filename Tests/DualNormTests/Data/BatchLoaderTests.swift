import Foundation
import Testing

@testable import DualNorm

@Suite struct BatchLoaderTests {
  private static func slice(_ number: Int) -> TrainingSlice {
    TrainingSlice(image: [Float(number)], labels: [0], channels: 1, size: ImageSize(height: 1, width: 1))
  }

  @Test(arguments: [1, 3]) func batchesComeInOrderWhateverTheThreads(threads: Int) {
    let loader = BatchLoader(batches: 2..<40, threads: threads) { index in
      if index % 3 == 0 { usleep(2000) }
      return [Self.slice(index)]
    }
    var seen: [Float] = []
    while let batch = loader.next() { seen.append(batch[0].image[0]) }
    #expect(seen == (2..<40).map(Float.init))
    #expect(loader.next() == nil)
  }

  @Test func noMoreThanTheCapacityIsMadeAhead() {
    let made = Counter()
    let loader = BatchLoader(batches: 0..<100, threads: 2, capacity: 3) { index in
      made.add()
      return [Self.slice(index)]
    }
    usleep(200_000)
    #expect(made.value == 3)
    _ = loader.next()
    usleep(200_000)
    #expect(made.value == 4)
    loader.close()
    #expect(loader.next() == nil)
  }
}

private final class Counter: @unchecked Sendable {
  private let lock = NSLock()
  private var count = 0

  func add() { lock.withLock { count += 1 } }
  var value: Int { lock.withLock { count } }
}
