import Basics

/// Iterations of the two stages, `[plain, dual]` in files; 0 skips a stage.
package struct StageIterations: Hashable, Sendable {
  package var plain, dual: Int

  package init(plain: Int, dual: Int) { (self.plain, self.dual) = (plain, dual) }

  /// - Throws: `Refusal` for other than two numbers.
  package init(_ values: [Int]) throws {
    guard values.count == 2 else { throw Self.refusal(values) }
    self.init(plain: values[0], dual: values[1])
  }

  /// Iterations of both stages.
  package var total: Int { plain + dual }

  package subscript(stage: Stage) -> Int {
    switch stage {
    case .plain: plain
    case .dual: dual
    }
  }

  var values: [Int] { [plain, dual] }

  func validate() throws {
    guard values.allSatisfy({ (0...1_000_000_000).contains($0) }), total > 0 else { throw Self.refusal(values) }
  }

  private static func refusal(_ values: [Int]) -> Refusal {
    Refusal(
      .input, "\(Setting.iterations) is \(values.map(String.init).joined(separator: ","))",
      remedy: "give two numbers, of the plain and of the dual stage, for example 4000,2000 (0 skips a stage)")
  }
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

extension StageIterations: Codable {
  package init(from decoder: any Decoder) throws {
    let (plain, dual) = try decoder.pair(of: Int.self)
    self.init(plain: plain, dual: dual)
  }

  package func encode(to encoder: any Encoder) throws { try values.encode(to: encoder) }
}

extension Decoder {
  /// A list of two values.
  ///
  /// - Throws: `DecodingError` for another list.
  func pair<Value: Decodable>(of _: Value.Type) throws -> (Value, Value) {
    let values = try [Value](from: self)
    guard values.count == 2 else {
      throw DecodingError.dataCorrupted(
        .init(codingPath: codingPath, debugDescription: "\(counted(values.count, "value")), expected two"))
    }
    return (values[0], values[1])
  }
}
