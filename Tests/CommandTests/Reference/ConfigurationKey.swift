import Foundation

@testable import DualNorm

/// A key of `config.yaml`, from the code.
struct ConfigurationKey {
  let name: String
  /// The type of its values, in words.
  let type: String
  /// An example value as YAML.
  let example: String
  /// Its value in each recipe as YAML; nil if there is none.
  let values: [TrainingRecipe: String]

  static func all() throws -> [ConfigurationKey] {
    let types = Dictionary(
      uniqueKeysWithValues: Mirror(reflecting: TrainingConfiguration()).children.map {
        (hyphened($0.label ?? ""), describe(Swift.type(of: $0.value)))
      })
    let recipes = try Dictionary(
      uniqueKeysWithValues: TrainingRecipe.allCases.map { recipe in
        let data = try JSONEncoder().encode(TrainingConfiguration(recipe))
        return (recipe, try JSONDecoder().decode([String: YAMLValue].self, from: data))
      })
    return TrainingOption.all.map { option in
      let name = option.setting.rawValue
      return ConfigurationKey(
        name: name, type: types[option.setting == .initial ? "initial" : name] ?? "", example: option.example,
        values: recipes.compactMapValues { $0[name]?.text })
    }
  }

  /// Turns `dualBlocks` into `dual-blocks`.
  private static func hyphened(_ label: String) -> String {
    label.reduce(into: "") { $0 += $1.isUppercase ? "-" + $1.lowercased() : String($1) }
  }

  /// Words for a type; empty for an unknown type, which a test refuses.
  fileprivate static func describe(_ type: Any.Type, plural: Bool = false) -> String {
    if let described = type as? any Described.Type { return described.words(plural: plural) }
    if let listed = type as? any CaseIterable.Type { return values(of: listed) }
    return ""
  }

  private static func values<Listed: CaseIterable>(of type: Listed.Type) -> String {
    type.allCases.compactMap { ($0 as? any RawRepresentable)?.rawValue as? String }.map { "`\($0)`" }
      .joined(separator: ", ")
  }
}

/// A JSON value, written as YAML on one line.
private enum YAMLValue: Decodable {
  case flag(Bool)
  case number(Double)
  case word(String)
  case list([YAMLValue])

  init(from decoder: any Decoder) throws {
    let container = try decoder.singleValueContainer()
    if let flag = try? container.decode(Bool.self) {
      self = .flag(flag)
    } else if let number = try? container.decode(Double.self) {
      self = .number(number)
    } else if let word = try? container.decode(String.self) {
      self = .word(word)
    } else {
      self = .list(try container.decode([YAMLValue].self))
    }
  }

  var text: String {
    switch self {
    case .flag(let flag): "\(flag)"
    case .number(let number): Int(exactly: number).map(String.init) ?? "\(number)"
    case .word(let word): word
    case .list(let values): "[\(values.map(\.text).joined(separator: ", "))]"
    }
  }
}

private protocol Described { static func words(plural: Bool) -> String }

extension Described where Self: BinaryInteger {
  fileprivate static func words(plural: Bool) -> String { plural ? "whole numbers" : "whole number" }
}
extension Int: Described {}
extension UInt16: Described {}
extension UInt64: Described {}
extension Double: Described {
  fileprivate static func words(plural: Bool) -> String { plural ? "numbers" : "number" }
}
extension Bool: Described {
  fileprivate static func words(plural: Bool) -> String { "`true`, `false`" }
}
extension String: Described {
  fileprivate static func words(plural: Bool) -> String { plural ? "texts" : "text" }
}
extension BlockName: Described {
  fileprivate static func words(plural: Bool) -> String { plural ? "blocks" : "block" }
}
extension DeviceChoice: Described {
  fileprivate static func words(plural: Bool) -> String { "`cpu`, `cuda`, `cuda:N`, `auto`" }
}
extension Optional: Described {
  fileprivate static func words(plural: Bool) -> String { ConfigurationKey.describe(Wrapped.self, plural: plural) }
}
extension Array: Described {
  fileprivate static func words(plural: Bool) -> String {
    (plural ? "lists of " : "list of ") + ConfigurationKey.describe(Element.self, plural: true)
  }
}
extension StageIterations: Described {
  fileprivate static func words(plural: Bool) -> String { "list of two whole numbers" }
}
extension ImageSize: Described {
  fileprivate static func words(plural: Bool) -> String { "list of two whole numbers" }
}
extension IntensityWindow: Described {
  fileprivate static func words(plural: Bool) -> String { "list of two numbers" }
}
extension VoxelSpacing: Described {
  fileprivate static func words(plural: Bool) -> String { "list of two or three numbers" }
}
extension Extent: Described {
  fileprivate static func words(plural: Bool) -> String { "list of two or three whole numbers" }
}
