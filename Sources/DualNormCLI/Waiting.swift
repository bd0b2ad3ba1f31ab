import Dispatch

/// Runs asynchronous work to its end while the calling thread waits.
func waiting<Value: Sendable>(for work: @escaping @Sendable () async throws -> Value) throws -> Value {
  let outcome = Outcome<Value>()
  let end = DispatchSemaphore(value: 0)
  Task.detached {
    do { outcome.result = .success(try await work()) } catch { outcome.result = .failure(error) }
    end.signal()
  }
  end.wait()
  return try outcome.result!.get()
}

/// The outcome of the work, written before the semaphore is signalled and read after.
private final class Outcome<Value: Sendable>: @unchecked Sendable {
  var result: Result<Value, any Error>?
}
