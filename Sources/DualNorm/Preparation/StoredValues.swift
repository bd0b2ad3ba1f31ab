import Basics
import Foundation

/// Values in memory, or in an unlinked, memory-mapped file.
struct StoredValues<Value: BitwiseCopyable & Sendable>: Sendable {
  private enum Storage: Sendable {
    case memory([Value])
    case file(Data, FileHandle)
  }

  private let storage: Storage
  let count: Int

  init(_ values: [Value]) {
    storage = .memory(values)
    count = values.count
  }

  private init(mapping data: Data, of file: FileHandle) {
    storage = .file(data, file)
    count = data.count / MemoryLayout<Value>.stride
  }

  var bytes: Int { count * MemoryLayout<Value>.stride }

  /// The same values in a file in `folder`. The file is unlinked before it is written, so nothing is left behind,
  /// however the process ends.
  ///
  /// - Throws: `Refusal` if the folder cannot take it.
  func inFile(in folder: URL) throws -> StoredValues {
    guard case .memory(let values) = storage, !values.isEmpty else { return self }
    let file = folder.appendingPathComponent(".prepared-\(UUID().uuidString)")
    let descriptor = open(file.path, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0o600)
    guard descriptor >= 0 else { throw refusal(of: folder, errno) }
    let handle = FileHandle(fileDescriptor: descriptor, closeOnDealloc: true)
    unlink(file.path)
    let isWritten = values.withUnsafeBytes { writeAll($0, to: descriptor) }
    guard isWritten, let start = mmap(nil, bytes, PROT_READ, MAP_SHARED, descriptor, 0), start != MAP_FAILED else {
      throw refusal(of: folder, errno)
    }
    return StoredValues(mapping: Data(bytesNoCopy: start, count: bytes, deallocator: .unmap), of: handle)
  }

  private func refusal(of folder: URL, _ code: Int32) -> Refusal {
    Refusal(
      .file, folder.path, "does not take \(bytes >> 20) MiB of prepared volumes (\(String(cString: strerror(code))))",
      remedy: "free the disk, or raise \(Setting.memory) so that they stay in memory")
  }

  /// Adds the values of a range to an array.
  func append(_ range: Range<Int>, to target: inout [Value]) {
    precondition(range.lowerBound >= 0 && range.upperBound <= count, "values \(range) of \(count)")
    switch storage {
    case .memory(let values): target += values[range]
    case .file(let data, _):
      data.withUnsafeBytes { target += $0.assumingMemoryBound(to: Value.self)[range] }
    }
  }

  /// Like `append`, but survives a failing disk; an unreadable page of a mapped file would end the process.
  ///
  /// - Throws: `Refusal` if the file cannot be read.
  func read(_ range: Range<Int>, to target: inout [Value]) throws {
    guard case .file(_, let file) = storage else { return append(range, to: &target) }
    precondition(range.lowerBound >= 0 && range.upperBound <= count, "values \(range) of \(count)")
    let stride = MemoryLayout<Value>.stride
    var values = Data(count: range.count * stride)
    let isRead = values.withUnsafeMutableBytes { bytes in
      var done = 0
      while done < bytes.count {
        let place = off_t(range.lowerBound * stride + done)
        let count = pread(file.fileDescriptor, bytes.baseAddress! + done, bytes.count - done, place)
        if count > 0 { done += count } else if count == 0 || errno != EINTR { return false }
      }
      return true
    }
    guard isRead else {
      throw Refusal(
        .file, "Prepared volumes, which wait in files of the run folder, cannot be read back",
        remedy: "check its disk, or raise \(Setting.memory) so that they stay in memory")
    }
    values.withUnsafeBytes { target += $0.bindMemory(to: Value.self) }
  }

  /// A hash that is the same in every run (FNV-1a over 64-bit words, mixed).
  var digest: UInt64 {
    func hash(_ bytes: UnsafeRawBufferPointer) -> UInt64 {
      var hash = 0xCBF2_9CE4_8422_2325 ^ UInt64(bytes.count)
      var place = 0
      while place < bytes.count {
        var word: UInt64 = 0
        if bytes.count - place >= 8 {
          word = bytes.loadUnaligned(fromByteOffset: place, as: UInt64.self)
        } else {
          for byte in bytes[place...] { word = word << 8 | UInt64(byte) }
        }
        hash = (hash ^ word) &* 0x100_0000_01B3
        hash ^= hash >> 32
        place += 8
      }
      return hash
    }
    switch storage {
    case .memory(let values): return values.withUnsafeBytes(hash)
    case .file(let data, _): return data.withUnsafeBytes(hash)
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
