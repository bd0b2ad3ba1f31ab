import Basics
import Scores

/// The classes of a model that keep only their largest connected component, and the reason.
package enum LargestComponents: Equatable, Sendable {
  /// All classes, as in the published code.
  case published
  /// Classes that gained by it on the validation cases. `classes` is in class order; `cases` counts the cases.
  case validated(classes: [Gain], cases: Int)

  /// The effect on one class of keeping only its largest component.
  package struct Gain: Codable, Equatable, Sendable {
    let kept: Bool
    /// Gain in the class's mean Dice; nil if no validation case has the class.
    let gain: Double?

    init(kept: Bool, gain: Double?) { (self.kept, self.gain) = (kept, gain) }
  }

  /// The rule without a measurement: every class keeps all components.
  static func undecided(classes: Int) -> LargestComponents {
    .validated(classes: Array(repeating: Gain(kept: false, gain: nil), count: classes), cases: 0)
  }
}

/// The rule for a prediction: the model's own, or one that replaces it. Files hold `"model"`, true or false.
package enum LargestComponentChoice: Equatable, Sendable {
  case asInModel, ofAll, ofNone

  /// - Parameter flag: the command line's flag; nil if absent.
  package init(_ flag: Bool?) { self = flag.map { $0 ? .ofAll : .ofNone } ?? .asInModel }

  /// The option for this choice; empty for the model's own rule.
  package var words: [String] {
    switch self {
    case .asInModel: []
    case .ofAll: [Setting.largestComponent.description]
    case .ofNone: [Setting.noLargestComponent.description]
    }
  }
}

extension ModelDescription {
  /// The classes, from 1 on, that keep only their largest component.
  func largestComponentClasses(_ choice: LargestComponentChoice) -> Set<UInt8> {
    let all = (1..<labels.classCount).map { UInt8($0) }
    switch (choice, largestComponents) {
    case (.ofNone, _): return []
    case (.ofAll, _), (.asInModel, nil), (.asInModel, .published): return Set(all)
    case (.asInModel, .validated(let classes, _)):
      return Set(zip(all, classes).filter { $0.1.kept }.map(\.0))
    }
  }

  /// Names of the classes that keep only their largest component.
  package func largestComponentNames(_ choice: LargestComponentChoice = .asInModel) -> [String] {
    largestComponentClasses(choice).sorted().map { labels.names[Int($0) - 1] }
  }

  /// The rule and its reason, without a full stop: `kept of label 1 (Dice +0.012), by 4 validation cases`.
  package func largestComponentSummary(_ choice: LargestComponentChoice = .asInModel) -> String {
    switch (choice, largestComponents) {
    case (.ofAll, _): return "kept of all classes, as asked"
    case (.ofNone, _): return "kept of no class, as asked"
    case (.asInModel, nil): return "kept of all classes, because an earlier version made this model"
    case (.asInModel, .published): return "kept of all classes, as published"
    case (.asInModel, .validated(let classes, let cases)):
      guard cases > 0 || classes.contains(where: \.kept) else {
        guard preparation.nnUNet == nil else { return "kept of no class, as in nnU-Net" }
        return "kept of no class, because no validation case has shown what it gains"
      }
      let named = zip(labels.names, classes)
      func list(_ kept: Bool) -> String? {
        let names = named.filter { $0.1.kept == kept }.map { name, gain in
          "\(name) (\(gain.gain.map { "Dice " + signed($0) } ?? "in no case"))"
        }
        return names.isEmpty ? nil : "\(kept ? "kept of" : "not of") \(names.joined(separator: ", "))"
      }
      return [list(true) ?? "kept of no class", list(false)].compactMap { $0 }.joined(separator: ", ")
        + ", by \(counted(cases, "validation case"))"
    }
  }
}

private func signed(_ value: Double) -> String { (value < 0 ? "\u{2212}" : "+") + fixed(abs(value), decimals: 3) }

/// `{"rule": "published"}`, or `{"rule": "validation", "cases": 4, "classes": [{"kept": true, "gain": 0.012}]}`.
extension LargestComponents: Codable {
  private enum Rule: String, Codable { case published, validation }
  private enum CodingKeys: String, CodingKey { case rule, cases, classes }

  package init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: CodingKeys.self)
    switch try container.decode(Rule.self, forKey: .rule) {
    case .published: self = .published
    case .validation:
      self = .validated(
        classes: try container.decode([Gain].self, forKey: .classes),
        cases: try container.decode(Int.self, forKey: .cases))
    }
  }

  package func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: CodingKeys.self)
    switch self {
    case .published: try container.encode(Rule.published, forKey: .rule)
    case .validated(let classes, let cases):
      try container.encode(Rule.validation, forKey: .rule)
      try container.encode(classes, forKey: .classes)
      try container.encode(cases, forKey: .cases)
    }
  }
}

extension LargestComponentChoice: Codable {
  package init(from decoder: any Decoder) throws {
    let container = try decoder.singleValueContainer()
    if let flag = try? container.decode(Bool.self) {
      self.init(flag)
      return
    }
    guard try container.decode(String.self) == Self.own else {
      throw DecodingError.dataCorruptedError(in: container, debugDescription: "neither \(Self.own), true nor false")
    }
    self = .asInModel
  }

  private static let own = "model"

  package func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    switch self {
    case .asInModel: try container.encode(Self.own)
    case .ofAll: try container.encode(true)
    case .ofNone: try container.encode(false)
    }
  }
}

extension LargestComponentChoice: CustomStringConvertible {
  package var description: String { self == .asInModel ? Self.own : "\(self == .ofAll)" }
}
