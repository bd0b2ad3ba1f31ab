import Basics

/// Iterations of the two stages, `[plain, dual]` in files; 0 skips a stage.
package struct StageIterations: NumberPair {
  package typealias Number = Int

  package var plain, dual: Int

  package init(plain: Int, dual: Int) { (self.plain, self.dual) = (plain, dual) }

  package init(_ plain: Int, _ dual: Int) { self.init(plain: plain, dual: dual) }

  package static let expected =
    "two numbers, of the plain and of the dual stage, for example 4000,2000 (0 skips a stage)"

  /// Iterations of both stages.
  package var total: Int { plain + dual }

  package subscript(stage: Stage) -> Int {
    switch stage {
    case .plain: plain
    case .dual: dual
    }
  }

  package var values: [Int] { [plain, dual] }

  /// Tells whether these are numbers of iterations, and at least one stage has some.
  var areValid: Bool { values.allSatisfy { (0...1_000_000_000).contains($0) } && total > 0 }
}

extension StageIterations: CustomStringConvertible {
  /// `4000,2000`, as the command line takes it.
  package var description: String { "\(plain),\(dual)" }
}

extension StageIterations: ExpressibleByArrayLiteral {
  /// Takes two numbers, as in files.
  package init(arrayLiteral values: Int...) {
    precondition(values.count == 2, "a plain and a dual stage")
    self.init(plain: values[0], dual: values[1])
  }
}
