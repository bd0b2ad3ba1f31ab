import Basics
package import DualNorm

/// A method to compare: a norm, with or without dual blocks, written `NORM[+dual][+measured][+hard][+reference]`.
///
/// The norm is one of `PlainNorm`. `dual` alone is the paper's method, `bn+dual`. The other words modify dual blocks:
/// - `measured` also normalizes regions by their own statistics.
/// - `hard` resizes masks by nearest neighbour.
/// - `reference` or `uniform` replaces the first pass's prediction as the mask.
package struct ExperimentMethod: Hashable, Sendable {
  let norm: PlainNorm
  let isDual: Bool
  private let modifiers: Set<Modifier>

  enum Modifier: String, CaseIterable {
    case measured, hard, reference, uniform
  }

  private init(norm: PlainNorm, isDual: Bool, modifiers: Set<Modifier> = []) {
    self.norm = norm
    self.isDual = isDual
    self.modifiers = modifiers
  }

  /// The method's canonical name, for its folder and in tables.
  package var name: String {
    let base = !isDual ? norm.rawValue : norm == .bn ? "dual" : norm.rawValue + "+dual"
    return ([base] + Modifier.allCases.filter(modifiers.contains).map(\.rawValue)).joined(separator: "+")
  }

  /// - Throws: `Refusal` for an unknown name, suggesting the nearest method.
  package init(_ name: String) throws {
    guard let method = Self.all.first(where: { $0.parts == Self.parts(of: name) }) else {
      throw Refusal(
        .input, "\(Setting.methods)", "the method \"\(quoted(name))\" is unknown",
        detail: "the nearest is \"\(nearest(to: name, among: Self.names))\" (NORM[+dual][+measured][+hard][+reference "
          + "or +uniform], where NORM is \(PlainNorm.allCases.map(\.rawValue).joined(separator: ", ")))")
    }
    self = method
  }

  /// Parses a list such as `bn,dual`.
  ///
  /// - Throws: `Refusal` for an unknown name or a repeated method.
  package static func list(_ names: [String]) throws -> [ExperimentMethod] {
    let methods = try names.map(ExperimentMethod.init)
    for (index, method) in methods.enumerated() where methods[..<index].contains(method) {
      throw Refusal(.input, "\(Setting.methods) names \(method.name) twice", remedy: "name each method once")
    }
    return methods
  }

  /// All methods, in the order in which the nearest name is searched.
  static let all: [ExperimentMethod] = PlainNorm.allCases.flatMap { norm -> [ExperimentMethod] in
    let masks: [Set<Modifier>] = [[], [.reference], [.uniform]]
    let dual = masks.flatMap { mask in
      [[], [.measured], [.hard], [.measured, .hard]].map {
        ExperimentMethod(norm: norm, isDual: true, modifiers: mask.union($0))
      }
    }
    return [ExperimentMethod(norm: norm, isDual: false)] + dual
  }

  private static let names = all.flatMap { $0.norm == .bn && $0.isDual ? [$0.name, "bn+" + $0.name] : [$0.name] }

  private var parts: Set<String> { Self.parts(of: name) }

  /// The words of a name, in any order; empty if a word is repeated.
  private static func parts(of name: String) -> Set<String> {
    let words = name.split(separator: "+", omittingEmptySubsequences: false).map(String.init)
    var parts = Set(words)
    guard parts.count == words.count else { return [] }
    if parts.contains("dual"), parts.isDisjoint(with: PlainNorm.allCases.map(\.rawValue)) { parts.insert("bn") }
    return parts
  }
}

extension ExperimentMethod: CustomStringConvertible {
  package var description: String { name }
}

extension ExperimentMethod {
  /// The training options of this method, from the options that all methods share.
  ///
  /// Without dual blocks there is one stage with the iterations of both, so that all methods take as many steps.
  ///
  /// - Throws: `Refusal` if the options leave the method without dual blocks, or dual blocks without training.
  package func applied(to options: TrainingConfiguration) throws -> TrainingConfiguration {
    var result = options
    result.norm = norm
    guard isDual else {
      result.dualBlocks = []
      result.iterations = StageIterations(plain: options.iterations.total, dual: 0)
      // These options concern dual blocks only, but an options file may set them.
      (result.maskSource, result.localStatistics) = (.prediction, .predicted)
      return result
    }
    guard !options.dualBlocks.isEmpty else {
      throw Refusal(
        .input, "The method \(name) needs dual blocks, and \(Setting.dualBlocks) is none",
        remedy: "name blocks or leave it out")
    }
    guard options.iterations.dual > 0 else {
      throw Refusal(
        .input,
        "The method \(name) needs iterations of the dual stage, and \(Setting.iterations) is \(options.iterations)",
        remedy: "give the second number too")
    }
    result.mask = modifiers.contains(.hard) ? .hard : .soft
    result.localStatistics = modifiers.contains(.measured) ? .measured : .predicted
    result.maskSource =
      modifiers.contains(.reference) ? .reference : modifiers.contains(.uniform) ? .uniform : .prediction
    return result
  }
}
