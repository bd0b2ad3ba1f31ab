import Foundation

/// Runs children that read mutated files for some seconds, one reader after another, and reports what ended them.
final class Search {
  private let fixtures: URL
  private let end: Date
  private let seed: UInt64
  private let folder = FileManager.default.temporaryDirectory.appendingPathComponent("fuzz-\(UUID().uuidString)")
  private var counts: [String: (inputs: Int, read: Int, refused: Int, faults: Int)] = [:]
  private var faults: [String] = []

  /// Number of inputs per child.
  private static let batch = 400

  init(_ fixtures: URL, seconds: Double, seed: UInt64) {
    (self.fixtures, self.seed) = (fixtures, seed)
    end = Date().addingTimeInterval(seconds)
  }

  /// - Returns: whether all inputs passed.
  func run() throws -> Bool {
    defer { try? FileManager.default.removeItem(at: folder) }
    for path in Reader.all.flatMap(\.files) { _ = try Data(contentsOf: fixtures.appendingPathComponent(path)) }
    var first = 0
    repeat {
      for reader in Reader.all { try run(reader, first..<first + Self.batch) }
      first += Self.batch
    } while Date() < end
    print("seed \(seed)")
    for reader in Reader.all {
      guard let count = counts[reader.name] else { continue }
      print(
        "\(reader.name): \(count.inputs) inputs, \(count.read) read, \(count.refused) refused, \(count.faults) faults")
    }
    print("\(counts.values.reduce(0) { $0 + $1.inputs }) inputs, \(faults.count) faults")
    for fault in faults { print(fault) }
    return faults.isEmpty
  }

  /// Continues after an input that ended a child.
  private func run(_ reader: Reader, _ numbers: Range<Int>) throws {
    var next = numbers.lowerBound
    while next < numbers.upperBound, Date() < end || next == 0 {
      let (last, reason) = try child(reader, next..<numbers.upperBound)
      counts[reader.name, default: (0, 0, 0, 0)].inputs += last + 1 - next
      next = last + 1
      if let reason { fault(reader, last, reason) }
    }
  }

  private func fault(_ reader: Reader, _ number: Int, _ reason: String) {
    counts[reader.name, default: (0, 0, 0, 0)].faults += 1
    faults.append("\(reader.name), seed \(seed), number \(number): \(reason)")
  }

  /// - Returns: the last input that was started, and what ended the child; nil if it reached its end.
  private func child(_ reader: Reader, _ numbers: Range<Int>) throws -> (last: Int, reason: String?) {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath()
    process.arguments = [
      fixtures.path, "--child", reader.name, "\(seed)", "\(numbers.lowerBound)", "\(numbers.count)", folder.path,
    ]
    let (output, errors) = (Pipe(), Pipe())
    (process.standardOutput, process.standardError) = (output, errors)
    try process.run()
    let drained = Thread { _ = errors.fileHandleForReading.readDataToEndOfFile() }
    drained.start()
    let lines = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self).split(
      separator: "\n")
    process.waitUntilExit()
    var last = numbers.lowerBound
    for line in lines {
      let words = line.split(separator: " ")
      switch words[0] {
      case "at": last = Int(words[1]) ?? last
      case "foreign": fault(reader, Int(words[1]) ?? last, words.dropFirst(2).joined(separator: " "))
      case "done" where words.count == 3:
        counts[reader.name, default: (0, 0, 0, 0)].read += Int(words[1]) ?? 0
        counts[reader.name, default: (0, 0, 0, 0)].refused += Int(words[2]) ?? 0
      default: break
      }
    }
    guard process.terminationReason == .uncaughtSignal || process.terminationStatus != 0 else { return (last, nil) }
    let signal = process.terminationReason == .uncaughtSignal ? "signal" : "exit code"
    return (last, "\(signal) \(process.terminationStatus)")
  }
}
