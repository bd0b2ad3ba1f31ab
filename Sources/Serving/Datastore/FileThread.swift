import Dispatch

/// A thread for an actor that reads and writes large files, one job at a time.
///
/// The pool of tasks has a thread a core, and others' requests would wait for it.
final class FileThread: SerialExecutor {
  private let queue = DispatchQueue(label: "files")

  func enqueue(_ job: consuming ExecutorJob) {
    let job = UnownedJob(job)
    queue.async { job.runSynchronously(on: self.asUnownedSerialExecutor()) }
  }
}
