import Foundation
import TestSupport

/// Reads mutated files one by one, and reports its progress on standard output.
struct Child {
  private let reader: Reader
  private let sources: [(name: String, data: Data)]
  private let seed: UInt64
  private let folder: URL

  init(_ reader: Reader, _ fixtures: URL, seed: UInt64, folder: URL) throws {
    (self.reader, self.seed, self.folder) = (reader, seed, folder)
    sources = try reader.files.map { path in
      let url = fixtures.appendingPathComponent(path)
      return (reader.fixedName ?? url.lastPathComponent, try Data(contentsOf: url))
    }
    try? FileManager.default.removeItem(at: folder)
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    for (path, fixture) in reader.beside {
      let place = folder.appendingPathComponent(path)
      try FileManager.default.createDirectory(at: place.deletingLastPathComponent(), withIntermediateDirectories: true)
      try Data(contentsOf: fixtures.appendingPathComponent(fixture)).write(to: place)
    }
  }

  /// Limit of the address space, including LibTorch's code and threads.
  private static let mostMemory: rlim_t = 8 << 30

  func run(_ numbers: Range<Int>) throws {
    var limit = rlimit(rlim_cur: Self.mostMemory, rlim_max: Self.mostMemory)
    setrlimit(__rlimit_resource_t(RLIMIT_AS.rawValue), &limit)
    var (read, refused) = (0, 0)
    for number in numbers {
      say("at \(number)")
      endAfter(processorSeconds: 5, seconds: 60)
      do {
        let file = try changed(number)
        try reader.read(file, folder)
        read += 1
      } catch {
        refused += 1
        if !isSentence(error) { say("foreign \(number) \(type(of: error))") }
        let sentence = "\(error)"
        if !sentence.hasSuffix("."), !sentence.hasSuffix("?"), isSentence(error) {
          say("foreign \(number) no sentence")
        }
      }
      endAfter(processorSeconds: 0, seconds: 0)
    }
    say("done \(read) \(refused)")
  }

  /// Ends this process by a signal after so much time; 0 ends it never. A busy machine can let any process wait.
  private func endAfter(processorSeconds: Int, seconds: UInt32) {
    var timer = itimerval()
    timer.it_value.tv_sec = processorSeconds
    setitimer(__itimer_which_t(ITIMER_PROF.rawValue), &timer, nil)
    alarm(seconds)
  }

  /// Writes the mutated file of a number; the same for the same seed.
  func changed(_ number: Int) throws -> URL {
    var mutator = Mutator(seed: seed &* 1_000_003 &+ UInt64(number), tokens: reader.tokens)
    let source = sources[number % sources.count]
    // Half of the mutations hit the likely header.
    let range = number % 4 < 2 ? 0..<min(source.data.count, 600) : nil
    let file = folder.appendingPathComponent(source.name)
    for other in (try? FileManager.default.contentsOfDirectory(at: folder, includingPropertiesForKeys: nil)) ?? [] {
      unlink(other.path)  // folders stay
    }
    let handle = FileHandle(fileDescriptor: open(file.path, O_CREAT | O_WRONLY, 0o600), closeOnDealloc: true)
    try handle.write(contentsOf: mutator.mutated(source.data, in: range))
    return file
  }

  private func say(_ line: String) { FileHandle.standardOutput.write(Data((line + "\n").utf8)) }
}
