/// A line that a cell's process writes to its parent.
enum CellReport: Equatable {
  /// The steps of an earlier start, or all finished steps.
  case resumed(Int)
  case done(Int)
  case error(String)
  case warning(String)

  /// The exit code of a cell that stopped on request.
  static let stoppedStatus: Int32 = 130

  init?(_ line: String) {
    let words = line.split(separator: " ", maxSplits: 1).map(String.init)
    guard words.count == 2 else { return nil }
    switch (words[0], Int(words[1])) {
    case ("resumed", let count?): self = .resumed(count)
    case ("done", let count?): self = .done(count)
    case ("error", _): self = .error(words[1])
    case ("warning", _): self = .warning(words[1])
    default: return nil
    }
  }

  var line: String {
    switch self {
    case .resumed(let count): "resumed \(count)"
    case .done(let count): "done \(count)"
    case .error(let sentence): "error " + String(sentence.map { $0.isNewline ? " " : $0 })
    case .warning(let sentence): "warning " + String(sentence.map { $0.isNewline ? " " : $0 })
    }
  }
}
