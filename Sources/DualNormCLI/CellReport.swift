/// A line that a cell's process writes to the one that started it.
enum CellReport: Equatable {
  case resumed(Int)
  case iterations(Int)
  case error(String)

  /// What a cell ends with that was asked to stop.
  static let stoppedStatus: Int32 = 130

  init?(_ line: String) {
    let words = line.split(separator: " ", maxSplits: 1).map(String.init)
    guard words.count == 2 else { return nil }
    switch (words[0], Int(words[1])) {
    case ("resumed", let count?): self = .resumed(count)
    case ("iterations", let count?): self = .iterations(count)
    case ("error", _): self = .error(words[1])
    default: return nil
    }
  }

  var line: String {
    switch self {
    case .resumed(let count): "resumed \(count)"
    case .iterations(let count): "iterations \(count)"
    case .error(let sentence): "error " + String(sentence.map { $0.isNewline ? " " : $0 })
    }
  }
}
