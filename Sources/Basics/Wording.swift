import Foundation

/// A verb that a sentence advises.
package enum Verb: String, CaseIterable, Sendable, CustomStringConvertible {
  case prepare, check, train, evaluate, predict, experiment, report

  /// The words that begin its command.
  package var words: [String] { Wording.current.verb(self) }

  package var description: String { words.joined(separator: " ") }
}

/// The words for settings and verbs that users of a front end know.
package struct Wording: Sendable {
  package let setting: @Sendable (Setting) -> String
  package let verb: @Sendable (Verb) -> [String]

  package init(setting: @escaping @Sendable (Setting) -> String, verb: @escaping @Sendable (Verb) -> [String]) {
    (self.setting, self.verb) = (setting, verb)
  }

  /// The plain names, for programs without a front end.
  package static let plain = Wording(setting: { $0.rawValue }, verb: { [$0.rawValue] })

  private static let lock = NSLock()
  nonisolated(unsafe) private static var chosen = plain  // guarded by `lock`

  /// The wording of this process; a front end sets it before anything else.
  package static var current: Wording {
    get { lock.withLock { chosen } }
    set { lock.withLock { chosen = newValue } }
  }
}
