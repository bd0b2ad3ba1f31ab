import Foundation
import Torch

/// A thread that runs the jobs of one actor in order, so that tensors never change threads.
final class TensorThread: SerialExecutor {
  private let queue = JobQueue()

  /// - Parameter threads: number of threads per LibTorch operation.
  init(threads: Int) {
    let queue = queue
    let thread = Thread {
      LibTorch.configure(threads: threads)
      while let (job, executor) = queue.next() { job.runSynchronously(on: executor) }
    }
    thread.name = "tensors"
    thread.stackSize = 8 << 20  // the main thread's size, because this thread compiles GPU kernels
    thread.start()
  }

  deinit { queue.close() }

  func enqueue(_ job: consuming ExecutorJob) { queue.append(UnownedJob(job), asUnownedSerialExecutor()) }
}

/// The jobs that wait for a thread.
private final class JobQueue: @unchecked Sendable {
  // `condition` guards `jobs` and `isClosed`.
  private let condition = NSCondition()
  private var jobs: [(UnownedJob, UnownedSerialExecutor)] = []
  private var isClosed = false

  func append(_ job: UnownedJob, _ executor: UnownedSerialExecutor) {
    condition.withLock {
      jobs.append((job, executor))
      condition.signal()
    }
  }

  func close() {
    condition.withLock {
      isClosed = true
      condition.signal()
    }
  }

  /// Waits for the next job; nil after `close` once all jobs are taken.
  func next() -> (UnownedJob, UnownedSerialExecutor)? {
    condition.withLock {
      while jobs.isEmpty && !isClosed { condition.wait() }
      return jobs.isEmpty ? nil : jobs.removeFirst()
    }
  }
}
