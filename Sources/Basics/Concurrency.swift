import Foundation

/// Thrown where the user asked to stop and there is nothing to be finished first.
package struct StopRequested: Error { public init() {} }

/// `transform` of every element in order, on `threads` threads at a time.
package func concurrentMap<Element: Sendable, Result: Sendable>(
  _ elements: [Element], threads: Int, progress: (@Sendable (Int, Int) -> Void)?,
  _ transform: @Sendable (Element) -> Result
) -> [Result] {
  let work = SharedWork<Result>(count: elements.count)
  DispatchQueue.concurrentPerform(iterations: max(1, min(threads, elements.count))) { _ in
    while let index = work.next() {
      work.finish(index, transform(elements[index]), progress)
    }
  }
  return work.results
}

/// The indices not yet taken and the results so far, under one lock.
private final class SharedWork<Result: Sendable>: @unchecked Sendable {
  private let lock = NSLock()
  private var taken = 0
  private var done = 0
  private var slots: [Result?]

  init(count: Int) { slots = Array(repeating: nil, count: count) }

  func next() -> Int? {
    lock.withLock {
      guard taken < slots.count else { return nil }
      taken += 1
      return taken - 1
    }
  }

  func finish(_ index: Int, _ result: Result, _ progress: ((Int, Int) -> Void)?) {
    lock.withLock {
      slots[index] = result
      done += 1
      progress?(done, slots.count)
    }
  }

  var results: [Result] { lock.withLock { slots.compactMap { $0 } } }
}
