import ArgumentParser
import Basics
import DualNorm
import MedicalImaging

extension ArgumentHelp {
  /// The help of a training option.
  static func training(_ setting: Setting) -> ArgumentHelp {
    let option = TrainingOption[setting]!
    return ArgumentHelp("\(option.help)", valueName: option.form)
  }
}

extension TrainingConfiguration {
  /// Sets the training options that a group of arguments has been given.
  ///
  /// A property of the group sets the option of its name; properties that are no training options are passed over.
  ///
  /// - Throws: `Refusal` for a pair or a size of another count of numbers.
  mutating func set(_ group: some ParsableArguments) throws {
    for (label, property) in Mirror(reflecting: group).children {
      guard let setting = label.flatMap(Setting.init(property:)), let option = TrainingOption[setting],
        let argument = (property as? any Argument)?.given
      else { continue }
      option.set(try converted(argument, for: setting), in: &self)
    }
  }
}

extension Setting {
  /// The setting of a property such as `_weightDecay`; nil if there is none.
  fileprivate init?(property: String) {
    let name = property.drop { $0 == "_" }
    let words = name.reduce(into: "") { $0 += $1.isUppercase ? "-\($1.lowercased())" : "\($1)" }
    self.init(rawValue: words == "initial" ? Setting.initial.rawValue : words)
  }
}

/// An argument's property wrapper.
private protocol Argument {
  /// The value that the user gave; nil for none, or an empty list.
  var given: Any? { get }
}

extension Option: Argument { fileprivate var given: Any? { unwrapped(wrappedValue) } }
extension Flag: Argument { fileprivate var given: Any? { unwrapped(wrappedValue) } }

private func unwrapped(_ value: Any) -> Any? {
  if let optional = value as? any OptionalArgument { return optional.wrapped }
  return (value as? [Any])?.isEmpty == true ? nil : value
}

private protocol OptionalArgument { var wrapped: Any? { get } }
extension Optional: OptionalArgument { fileprivate var wrapped: Any? { self } }

/// Converts an argument to the value that the configuration takes.
private func converted(_ argument: Any, for setting: Setting) throws -> Any {
  switch argument {
  case let lists as [NumberList<LabelValue>]: lists.map(\.values)
  case let list as NumberList<LabelValue>: list.values
  case let list as BlockList: list.blocks
  case let list as PartList: list.parts
  case let list as AxisList: list.axes
  case let tuple as any Tuple: try tuple.value(of: setting)
  default: argument
  }
}

/// Numbers separated by commas; another count is refused in the words of its type.
struct TupleArgument<Value: NumberTuple>: ExpressibleByArgument, Tuple {
  private let numbers: NumberList<Value.Number>

  init?(argument: String) {
    guard let numbers = NumberList<Value.Number>(argument: argument) else { return nil }
    self.numbers = numbers
  }

  /// - Throws: `Refusal` for another count.
  func value(of setting: Setting) throws -> Value { try Value(numbers.values, of: setting) }
}

private protocol Tuple {
  associatedtype Value
  func value(of setting: Setting) throws -> Value
}
