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

  /// The same in a file in `folder`, which is gone with the last user, however the process ends.
  ///
  /// - Throws: `FileError` where the folder cannot take it.
  func inFile(in folder: URL) throws -> StoredValues {
    guard case .memory(let values) = storage else { return self }
    let file = folder.appendingPathComponent(".prepared-\(UUID().uuidString)")
    defer { try? FileManager.default.removeItem(at: file) }
    do {
      try values.withUnsafeBytes { try Data($0).write(to: file) }
      return StoredValues(mapping: try Data(contentsOf: file, options: .alwaysMapped))
    } catch {
      throw FileError(
        "\(folder.path): does not take \(bytes >> 20) MiB of prepared volumes (\(error.localizedDescription)); free the "
          + "disk, or raise --memory so that they stay in memory.")
    }
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
