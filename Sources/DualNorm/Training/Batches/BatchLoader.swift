import Foundation

/// Makes batches ahead of the training loop on its own threads.
///
/// Batches are plain values and come in order, whatever the number of threads. The training loop itself runs on one
/// thread.
final class BatchLoader: @unchecked Sendable {
  // `condition` guards every var.
  private let condition = NSCondition()
  private var finished: [Int: Result<[TrainingExample], any Error>] = [:]
  private var nextToMake: Int
  private var nextToTake: Int
  private var isClosed = false

  private let end: Int
  private let capacity: Int
  private let make: @Sendable (Int) throws -> [TrainingExample]

  /// - Parameters:
  ///   - batches: the batches' indices, in order.
  ///   - capacity: the largest number of batches finished or in progress, which bounds the memory.
  ///   - make: makes the batch of an index, on any of `threads` threads. `next` rethrows its error in the batch's
  ///     place.
  init(
    batches: Range<Int>, threads: Int = 1, capacity: Int = 4,
    make: @escaping @Sendable (Int) throws -> [TrainingExample]
  ) {
    nextToMake = batches.lowerBound
    nextToTake = batches.lowerBound
    end = batches.upperBound
    self.capacity = capacity
    self.make = make
    for number in 0..<threads {
      let thread = Thread { [weak self] in
        // The loader is held only while making a batch, so that it can be freed when nobody needs it.
        while self?.work() == true {}
      }
      thread.name = "batches \(number)"
      thread.start()
    }
  }

  deinit { close() }

  /// Waits for the next batch and returns it; nil after the last one or after `close`.
  ///
  /// - Throws: the error of making it; no more batches follow.
  func next() throws -> [TrainingExample]? {
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

  /// Ends the threads after their current batch.
  func close() {
    condition.lock()
    isClosed = true
    condition.broadcast()
    condition.unlock()
  }

  /// Makes one batch if there is room; returns false at the end.
  private func work() -> Bool {
    condition.lock()
    let index = nextToMake
    guard !isClosed, index < end else {
      condition.unlock()
      return false
    }
    guard index - nextToTake < capacity else {
      // After a short wait, the caller checks whether the loader is still needed.
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
