import Basics

extension Wording {
  /// Settings and verbs as they are typed.
  static let commandLine = Wording(setting: { "--\($0.rawValue)" }, verb: { ["dualnorm", $0.rawValue] })
}
