import Foundation

/// A verb that a sentence advises.
package enum Verb: String, CaseIterable, Sendable, CustomStringConvertible {
  case prepare, check, train, evaluate, predict, experiment, report

  /// The words that begin its command.
  package var words: [String] { Wording.current.verb(self) }

  package var description: String { words.joined(separator: " ") }
}

/// The words that users of a front end know, for settings, verbs and the way to more libraries.
package struct Wording: Sendable {
  package let setting: @Sendable (Setting) -> String
  package let verb: @Sendable (Verb) -> [String]
  /// The remedy where LibTorch's CUDA libraries are missing.
  package let cudaRemedy: String

  package init(
    setting: @escaping @Sendable (Setting) -> String, verb: @escaping @Sendable (Verb) -> [String],
    cudaRemedy: String
  ) {
    (self.setting, self.verb, self.cudaRemedy) = (setting, verb, cudaRemedy)
  }

  /// The plain names, for programs without a front end.
  package static let plain = Wording(
    setting: { $0.rawValue }, verb: { [$0.rawValue] }, cudaRemedy: "run make deps-cuda")

  private static let lock = NSLock()
  nonisolated(unsafe) private static var chosen = plain  // guarded by `lock`

  /// The wording of this process; a front end sets it before anything else.
  package static var current: Wording {
    get { lock.withLock { chosen } }
    set { lock.withLock { chosen = newValue } }
  }
}
