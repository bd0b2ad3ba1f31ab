import Basics
import Datasets
import Scores

extension RunRecorder {
  /// Names of classes that no validation case has and that the network does not find in training cases that have them.
  ///
  /// - Parameter score: the validation score, which judges the other classes.
  func unfoundInTraining(_ network: DualNormNetwork, besides score: ValidationScore) -> [String] {
    let unjudged = Set((1..<UInt8(clamping: description.network.classes))).subtracting(score.presentClasses)
    guard !unjudged.isEmpty else { return [] }
    let having = plan.cases.filter { item in item.volume.labels?.contains(where: unjudged.contains) ?? false }
    let names = Set(unjudged.map { description.labels.names[Int($0) - 1] })
    return ValidationScore(of: network, description, on: spread(having, atMost: 8)).unfoundClasses.filter(
      names.contains)
  }

  private func spread(_ cases: [PreparedCase], atMost count: Int) -> [PreparedCase] {
    cases.count <= count ? cases : (0..<count).map { cases[$0 * cases.count / count] }
  }
}

extension TrainingState {
  /// Sentences on classes that the model does not find, which make it useless in part or as a whole.
  ///
  /// - Parameter classes: the names of all classes.
  func warnings(classes: [String]) -> [String] {
    let remedy =
      "train longer (\(Setting.iterations)), with a larger \(Setting.width), or with another "
      + "\(Setting.seed)."
    func sentence(_ names: [String]?, _ place: String, everyPlace: String) -> String? {
      guard let names, !names.isEmpty else { return nil }
      guard names != classes || classes.count == 1 else {
        return "nothing was found in \(everyPlace), so the model finds no class at all; \(remedy)"
      }
      return "\(listed(names, atMost: 9)) \(names.count == 1 ? "was" : "were") found in \(place); \(remedy)"
    }
    return [
      sentence(unfoundInValidation, "no validation case", everyPlace: "any validation case"),
      sentence(
        unfoundInTraining, "no training case that was tried, and no validation case has it",
        everyPlace: "any training case that was tried, and no validation case has a class"),
    ].compactMap { $0 }
  }
}
