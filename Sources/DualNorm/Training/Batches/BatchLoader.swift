import Foundation

/// Makes batches ahead of the training loop on its own threads. The last place where threads meet: what comes out are
/// plain values, in order, and the same whatever the number of threads.
final class BatchLoader: @unchecked Sendable {
  // `condition` guards every var.
  private let condition = NSCondition()
  private var finished: [Int: Result<[TrainingSlice], any Error>] = [:]
  private var nextToMake: Int
  private var nextToTake: Int
  private var isClosed = false

  private let end: Int
  private let capacity: Int
  private let make: @Sendable (Int) throws -> [TrainingSlice]

  /// - Parameters:
  ///   - batches: the batches' indices, in order.
  ///   - capacity: batches that may wait finished or in the making; bounds the memory.
  ///   - make: the batch of an index; called from `threads` threads. What it throws, `next` throws in the batch's place.
  init(
    batches: Range<Int>, threads: Int = 1, capacity: Int = 4, make: @escaping @Sendable (Int) throws -> [TrainingSlice]
  ) {
    nextToMake = batches.lowerBound
    nextToTake = batches.lowerBound
    end = batches.upperBound
    self.capacity = capacity
    self.make = make
    for number in 0..<threads {
      let thread = Thread { [weak self] in
        // Holding the loader only while a batch is made lets it go away when nobody needs it.
        while self?.work() == true {}
      }
      thread.name = "batches \(number)"
      thread.start()
    }
  }

  deinit { close() }

  /// The next batch; waits for it. Nil after the last one or after `close`.
  ///
  /// - Throws: what making it threw; then there are no more.
  func next() throws -> [TrainingSlice]? {
    condition.lock()
    defer { condition.unlock() }
    guard nextToTake < end else { return nil }
    while !isClosed, finished[nextToTake] == nil { condition.wait() }
    guard let batch = finished.removeValue(forKey: nextToTake), !isClosed else { return nil }
    nextToTake += 1
    if case .failure = batch { isClosed = true }
    condition.broadcast()
    return try batch.get()
  }

  /// Lets the threads end after the batch at hand.
  func close() {
    condition.lock()
    isClosed = true
    condition.broadcast()
    condition.unlock()
  }

  /// Makes one batch if there is room; false at the end.
  private func work() -> Bool {
    condition.lock()
    let index = nextToMake
    guard !isClosed, index < end else {
      condition.unlock()
      return false
    }
    guard index - nextToTake < capacity else {
      // A short wait, then the caller looks again whether the loader is still needed.
      _ = condition.wait(until: Date(timeIntervalSinceNow: 0.05))
      condition.unlock()
      return true
    }
    nextToMake += 1
    condition.unlock()
    let batch = Result { try make(index) }
    condition.lock()
    finished[index] = batch
    condition.broadcast()
    condition.unlock()
    return true
  }
}
