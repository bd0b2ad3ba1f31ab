import Foundation

/// Thrown when the user asks to stop and no work has to be finished first.
package struct StopRequested: Error { public init() {} }

/// Maps the elements with `transform` on up to `threads` threads; results keep the order of the elements.
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

/// Hands out indices and collects results, guarded by one lock.
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

/// Runs a body that reads or writes files, or computes for long, on a thread outside the pool of tasks.
///
/// The pool has a thread a core, and others' requests would wait for it.
package func offPool<Value: Sendable>(_ body: @escaping @Sendable () throws -> Value) async throws -> Value {
  try await withCheckedThrowingContinuation { done in
    DispatchQueue.global().async { done.resume(with: Result(catching: body)) }
  }
}
