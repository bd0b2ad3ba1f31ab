import Basics
import Datasets
import Foundation

extension TrainingConfiguration {
  /// Makes the split that the options ask for: a new one, one of a fold, or one from a file.
  ///
  /// - Throws: `Refusal` for contradictory options, or a file that does not fit the data.
  func split(of cases: [Case]) throws -> Split {
    guard let splits else {
      guard fold == nil else {
        throw Refusal(.input, "\(Setting.fold) needs a file of folds", remedy: "name it with \(Setting.splits)")
      }
      return try Split.make(
        cases: cases, validationFraction: validationFraction, testFraction: holdOut, seed: seed)
    }
    guard holdOut == 0 else {
      throw Refusal(
        .input, "\(Setting.splits) says which cases are kept for the test", remedy: "leave \(Setting.holdOut) out")
    }
    let file = URL(fileURLWithPath: splits)
    if let data = contents(ofRegularFile: file), (try? JSONSerialization.jsonObject(with: data)) is [String: Any] {
      guard fold == nil else {
        throw Refusal(
          .input, file.path, "is the split of one run and has no folds", remedy: "leave \(Setting.fold) out")
      }
      return try Split(contentsOf: file, cases: cases)
    }
    let chosen = try Folds.fold(in: file, cases: cases) { count in
      let range = count == 1 ? "0, the only one" : "0 to \(count - 1)"
      guard let fold else {
        throw Refusal(
          .input, file.path, "holds \(counted(count, "fold"))", remedy: "choose one with \(Setting.fold), \(range)")
      }
      guard (0..<count).contains(fold) else {
        throw Refusal(
          .input, "\(Setting.fold) is \(fold), and \(file.path) holds \(counted(count, "fold"))",
          remedy: "give \(range)")
      }
      return fold
    }
    return try Split(chosen, of: cases, validationFraction: validationFraction, seed: seed)
  }
}
