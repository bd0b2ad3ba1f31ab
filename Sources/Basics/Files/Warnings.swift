package import Foundation

/// Doubts about a result, reported where they arise: by a file's reader, or by a network about its input.
///
/// A front end shows each one once with `listen`. Output files (JSON, tables, pages) take `reported`.
package enum Warnings {
  // `lock` guards all of these.
  private static let lock = NSLock()
  nonisolated(unsafe) private static var sentences = OrderedSentences()
  nonisolated(unsafe) private static var filesOfKind: [String: Set<String>] = [:]
  private static let mostOfAKind = 5
  nonisolated(unsafe) private static var listener: (@Sendable (String) -> Void)?

  /// The collector of the current task, which takes all its warnings.
  @TaskLocal private static var collector: Collector?

  /// Reports that a result may be wrong. Equal sentences count once.
  ///
  /// - Parameter sentence: names the file or option, what was found, and what to do; without the word "Warning".
  package static func report(_ sentence: String) {
    let sentence = printable(sentence)
    if let collector {
      _ = collector.lock.withLock { collector.sentences.insert(sentence) }
      return
    }
    let show = lock.withLock { () -> (@Sendable (String) -> Void)? in sentences.insert(sentence) ? listener : nil }
    show?(sentence)
  }

  /// Reports a doubt about a file.
  ///
  /// The first few of a kind are shown; then one sentence says that there are more. A collector gets them all.
  ///
  /// - Parameters:
  ///   - doubt: what was found and what to do: the sentence's end.
  ///   - kind: completes "more files": `in the format Analyze 7.5`.
  package static func report(_ file: URL, _ doubt: String, kind: String) {
    let sentence = "\(file.path): \(doubt)"
    guard collector == nil else { return report(sentence) }
    let isShown = lock.withLock { () -> Bool in
      let shown = filesOfKind[kind, default: []]
      if shown.count < mostOfAKind { filesOfKind[kind, default: []].insert(sentence) }
      return shown.count < mostOfAKind || shown.contains(sentence)
    }
    report(isShown ? sentence : "There are more files \(kind).")
  }

  /// All warnings of this process or, inside `collecting`, of its body, in the order of their report.
  package static var reported: [String] {
    if let collector { return collector.lock.withLock { collector.sentences.inOrder } }
    return lock.withLock { sentences.inOrder }
  }

  /// Shows each new sentence with `show` as it is reported, on whichever thread reports it.
  package static func listen(_ show: @escaping @Sendable (String) -> Void) { lock.withLock { listener = show } }

  /// Runs a body and returns the warnings it reported on its own thread; they are not shown elsewhere.
  package static func collecting<Value>(_ body: () throws -> Value) rethrows -> (value: Value, warnings: [String]) {
    let own = Collector()
    let value = try $collector.withValue(own) { try body() }
    return (value, own.lock.withLock { own.sentences.inOrder })
  }

  /// Runs an asynchronous body and returns the warnings that its task reported; they are not shown elsewhere.
  package static func collecting<Value>(
    isolation: isolated (any Actor)? = #isolation, _ body: () async throws -> Value
  ) async rethrows -> (value: Value, warnings: [String]) {
    let own = Collector()
    let value = try await $collector.withValue(own) { try await body() }
    return (value, own.lock.withLock { own.sentences.inOrder })
  }

  private final class Collector: @unchecked Sendable {
    let lock = NSLock()  // guards the sentences
    var sentences = OrderedSentences()
  }
}

private struct OrderedSentences {
  private(set) var inOrder: [String] = []
  private var known: Set<String> = []

  /// - Returns: whether it is new.
  mutating func insert(_ sentence: String) -> Bool {
    guard known.insert(sentence).inserted else { return false }
    inOrder.append(sentence)
    return true
  }
}
