import Foundation

/// A mutator of files that changes a few bytes; the same ones for the same seed.
public struct Mutator {
  private var state: UInt64
  private let tokens: [[UInt8]]

  /// - Parameter tokens: pieces of text to insert, too.
  public init(seed: UInt64, tokens: [String] = []) {
    state = seed
    self.tokens = tokens.map { Array($0.utf8) }
  }

  /// Draws a number by SplitMix64.
  public mutating func next(below limit: Int) -> Int {
    state &+= 0x9E37_79B9_7F4A_7C15
    var value = state
    value = (value ^ value >> 30) &* 0xBF58_476D_1CE4_E5B9
    value = (value ^ value >> 27) &* 0x94D0_49BB_1331_11EB
    return Int((value ^ value >> 31) % UInt64(limit))
  }

  /// - Parameter range: the bytes to change, such as a header; nil for all.
  public mutating func mutated(_ original: Data, in range: Range<Int>? = nil) -> Data {
    var data = original
    for _ in 0...next(below: 3) where !data.isEmpty { mutate(&data, range) }
    return data
  }

  private static let extremes: [UInt64] = [
    0, 1, 0x7F, 0x80, 0xFF, 0x7FFF, 0xFFFF, 0x7FFF_FFFF, 0x8000_0000, 0xFFFF_FFFF, 1 << 62, 1 << 63, .max, .max - 1,
  ]

  private mutating func mutate(_ data: inout Data, _ range: Range<Int>?) {
    let within = (range ?? 0..<data.count).clamped(to: 0..<data.count)
    guard !within.isEmpty else { return }
    let place = within.lowerBound + next(below: within.count)
    let length = min([1, 2, 4, 8][next(below: 4)], data.count - place)
    switch next(below: tokens.isEmpty ? 8 : 12) {
    case 0: data[place] ^= 1 << next(below: 8)
    case 1: data[place] = UInt8(next(below: 256))
    case 2:
      let extreme = withUnsafeBytes(of: Self.extremes[next(below: Self.extremes.count)].littleEndian) { Data($0) }
      data.replaceSubrange(place..<place + length, with: extreme.prefix(length))
    case 3:
      let extreme = withUnsafeBytes(of: Self.extremes[next(below: Self.extremes.count)].bigEndian) { Data($0) }
      data.replaceSubrange(place..<place + length, with: extreme.suffix(length))
    case 4: data.removeSubrange(place..<place + length)
    case 5: data.insert(contentsOf: (0..<length).map { _ in UInt8(next(below: 256)) }, at: place)
    case 6: data[place] = data[next(below: data.count)]  // a digit of a text, or a small number
    case 7: if next(below: 8) == 0 { data.removeSubrange(place...) }
    case 8:  // a piece from elsewhere in the file
      let from = next(below: data.count)
      let piece = data[from..<min(data.count, from + next(below: 40))]
      data.insert(contentsOf: Array(piece), at: place)
    default: data.insert(contentsOf: tokens[next(below: tokens.count)], at: place)
    }
  }
}

/// A folder for a test's files, which are written one after another without waiting for the disk.
public final class ScratchFolder {
  public let url = FileManager.default.temporaryDirectory.appendingPathComponent("scratch-\(UUID().uuidString)")

  public init() throws { try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true) }
  deinit { try? FileManager.default.removeItem(at: url) }

  public func file(_ contents: Data, _ name: String) throws -> URL {
    let file = url.appendingPathComponent(name)
    // Data's `write` would wait for the disk each time. A new file, because ext4 waits when one is truncated.
    unlink(file.path)
    let handle = FileHandle(fileDescriptor: open(file.path, O_CREAT | O_WRONLY, 0o600), closeOnDealloc: true)
    try handle.write(contentsOf: contents)
    return file
  }
}

/// Calls `body`, and returns the seconds it took if they exceed the limit for any file.
///
/// The limit is for the thread's processor time, since a busy machine can let any thread or file wait. A thread that waits
/// for twelve times as long hangs too.
public func hang(atMost seconds: Double = 5, _ body: () -> Void) -> Double? {
  let start = (processor: threadTime(), wall: DispatchTime.now().uptimeNanoseconds)
  body()
  let taken = Double(threadTime() - start.processor) / 1e9
  let waited = Double(DispatchTime.now().uptimeNanoseconds - start.wall) / 1e9
  return taken > seconds || waited > 12 * seconds ? max(taken, waited) : nil
}

/// The processor time of this thread in nanoseconds.
private func threadTime() -> UInt64 {
  var time = timespec()
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
  return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
}
