import Foundation

/// Doubts about a result, reported where they are found: by a reader of a file, or by a network about its input.
///
/// A front end shows each once with `listen`; whatever is written of the work (JSON, tables, pages) takes `reported`.
package enum Warnings {
  // `lock` guards all.
  private static let lock = NSLock()
  nonisolated(unsafe) private static var sentences = OrderedSentences()
  nonisolated(unsafe) private static var filesOfKind: [String: Set<String>] = [:]
  private static let mostOfAKind = 5
  nonisolated(unsafe) private static var listener: (@Sendable (String) -> Void)?

  /// The collector of this task, which then gets its warnings alone.
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

  /// Reports a doubt about a file. The first few of a kind are shown one by one, then once that there are more; a collector
  /// gets them all.
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

  /// All of this process, in the order of their report.
  package static var reported: [String] {
    if let collector { return collector.lock.withLock { collector.sentences.inOrder } }
    return lock.withLock { sentences.inOrder }
  }

  /// Has each new sentence shown as it is reported, from whatever thread that happens on.
  package static func listen(_ show: @escaping @Sendable (String) -> Void) { lock.withLock { listener = show } }

  /// Runs a body and gives what it reported on its own thread, which then is shown nowhere else.
  package static func collecting<Value>(_ body: () throws -> Value) rethrows -> (value: Value, warnings: [String]) {
    let own = Collector()
    let value = try $collector.withValue(own) { try body() }
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
