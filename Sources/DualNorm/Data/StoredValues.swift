import Files
import Foundation

/// Values in memory, or in a file without a name that the system reads page by page as they are asked for.
struct StoredValues<Value: BitwiseCopyable & Sendable>: Sendable {
  private enum Storage: Sendable {
    case memory([Value])
    case file(Data)
  }

  private let storage: Storage
  let count: Int

  init(_ values: [Value]) {
    storage = .memory(values)
    count = values.count
  }

  private init(mapping data: Data) {
    storage = .file(data)
    count = data.count / MemoryLayout<Value>.stride
  }

  var bytes: Int { count * MemoryLayout<Value>.stride }

  /// The same in a file in `folder` that has lost its name before it is written, so that nothing is left behind, however the
  /// process ends.
  ///
  /// - Throws: `FileError` where the folder cannot take it.
  func inFile(in folder: URL) throws -> StoredValues {
    guard case .memory(let values) = storage, !values.isEmpty else { return self }
    let file = folder.appendingPathComponent(".prepared-\(UUID().uuidString)")
    let descriptor = open(file.path, O_RDWR | O_CREAT | O_EXCL, 0o600)
    guard descriptor >= 0 else { throw refusal(of: folder) }
    defer { close(descriptor) }
    unlink(file.path)
    let isWritten = values.withUnsafeBytes { bytes in
      var done = 0
      while done < bytes.count {
        let count = write(descriptor, bytes.baseAddress! + done, bytes.count - done)
        if count > 0 { done += count } else if errno != EINTR { return false }
      }
      return true
    }
    guard isWritten, let start = mmap(nil, bytes, PROT_READ, MAP_SHARED, descriptor, 0), start != MAP_FAILED else {
      throw refusal(of: folder)
    }
    return StoredValues(mapping: Data(bytesNoCopy: start, count: bytes, deallocator: .unmap))
  }

  /// Of what `errno` says.
  private func refusal(of folder: URL) -> FileError {
    FileError(
      "\(folder.path): does not take \(bytes >> 20) MiB of prepared volumes (\(String(cString: strerror(errno)))); free the "
        + "disk, or raise --memory so that they stay in memory.")
  }

  /// Adds the values of a range to an array.
  func append(_ range: Range<Int>, to target: inout [Value]) {
    precondition(range.lowerBound >= 0 && range.upperBound <= count, "values \(range) of \(count)")
    switch storage {
    case .memory(let values): target += values[range]
    case .file(let data):
      data.withUnsafeBytes { target += $0.assumingMemoryBound(to: Value.self)[range] }
    }
  }

  var all: [Value] {
    if case .memory(let values) = storage { return values }
    var result: [Value] = []
    result.reserveCapacity(count)
    append(0..<count, to: &result)
    return result
  }
}
