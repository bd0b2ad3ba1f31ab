import Dispatch

/// A value that another thread makes.
final class Future<Value>: @unchecked Sendable {
  private let group = DispatchGroup()
  private var result: Result<Value, any Error>?  // written before the group is left, read after

  init(_ make: @escaping @Sendable () throws -> Value) {
    DispatchQueue.global().async(group: group) { self.result = Result { try make() } }
  }

  /// Waits for it.
  func value() throws -> Value {
    group.wait()
    return try result!.get()
  }
}
