import Basics

/// The definitions that scores follow: DualNorm's own, or another tool's, for comparison with its numbers.
///
/// A tool's convention includes its treatment of empty masks. docs/conventions.md has the formulas.
package enum Convention: String, Codable, CaseIterable, Sendable {
  case dualnorm
  case medpy
  case medpy04 = "medpy-0.4"
  case monai
  case nnunet
  case transunet
  case published

  /// - Throws: `Refusal` for a name that no convention has.
  package init(named name: String) throws {
    guard let convention = Convention(rawValue: name) else {
      let names = Convention.allCases.map(\.rawValue)
      throw Refusal(
        .input, "\(Setting.like) \(quoted(name))",
        "there is no such convention; expected \(names.dropLast().joined(separator: ", ")) or "
          + "\(names[names.count - 1])", detail: "the nearest one is \(quoted(nearest(to: name, among: names)))")
    }
    self = convention
  }

  /// The tool and version that the values were checked against: `MedPy 0.5.2`.
  var tool: String { rules.tool }

  /// The metrics in the order of their columns.
  package func metrics(tolerancesMM: [Double]) -> [Metric] { rules.columns(tolerancesMM: tolerancesMM).map(\.metric) }

  /// Tells whether there is a metric with a tolerance.
  package var hasNSD: Bool { metrics(tolerancesMM: [1]).contains(.nsd(toleranceMM: 1)) }

  package var rules: any ConventionRules {
    switch self {
    case .dualnorm: DualNormConvention()
    case .medpy: MedPyConvention(isVersion04: false)
    case .medpy04: MedPyConvention(isVersion04: true)
    case .monai: MONAIConvention()
    case .nnunet: NNUNetConvention()
    case .transunet: TransUNetConvention()
    case .published: PublishedConvention()
    }
  }
}
