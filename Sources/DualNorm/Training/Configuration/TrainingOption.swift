package import Basics

/// An option of training: its help, valid values and place in the configuration.
///
/// The configuration file, the command line, the reference page and the checks read this declaration. `all` has every
/// option.
package struct TrainingOption: Sendable {
  package let setting: Setting
  /// Its effect, in one sentence.
  package let summary: String
  /// The form of its value on the command line, such as `x,y`; nil takes the setting's name.
  package let form: String?
  /// The default in words; nil if there is none to tell.
  package let standard: String?
  /// An example value as YAML, on one line.
  let example: String

  let encode: @Sendable (TrainingConfiguration, inout KeyedEncodingContainer<Setting>) throws -> Void
  let decode: @Sendable (inout TrainingConfiguration, KeyedDecodingContainer<Setting>) throws -> Void
  /// Sets a value of the option's type.
  private let assign: @Sendable (inout TrainingConfiguration, Any) -> Void
  /// - Throws: `Refusal` for an invalid value.
  package let check: @Sendable (TrainingConfiguration) throws -> Void

  /// The sentence of the help, with the default.
  package var help: String { standard.map { "\(summary) (default: \($0))" } ?? summary }

  /// Sets the option.
  ///
  /// - Precondition: `value` has the option's type.
  package func set(_ value: Any, in configuration: inout TrainingConfiguration) { assign(&configuration, value) }

  /// The option of a setting; nil if it is no option of training.
  package static subscript(setting: Setting) -> TrainingOption? { bySetting[setting] }

  private static let bySetting = Dictionary(uniqueKeysWithValues: all.map { ($0.setting, $0) })
}

extension TrainingOption {
  typealias Path<Value> = WritableKeyPath<TrainingConfiguration, Value> & Sendable

  /// Values that an option takes.
  struct Valid<Value>: Sendable {
    let holds: @Sendable (Value) -> Bool
    /// The advice for another value.
    let remedy: String

    init(_ remedy: String, _ holds: @escaping @Sendable (Value) -> Bool) {
      (self.holds, self.remedy) = (holds, remedy)
    }
  }

  /// An option that always has a value.
  ///
  /// - Parameter default: the default in words, where the value itself does not tell it.
  init<Value: Codable & Sendable>(
    _ setting: Setting, _ path: Path<Value>, _ summary: String, form: String? = nil, default standard: String? = nil,
    example: String? = nil, _ valid: Valid<Value>? = nil
  ) {
    let value = TrainingConfiguration()[keyPath: path]
    let words = Self.words(value)
    self.init(
      setting: setting, summary: summary, form: form, standard: standard ?? (words.isEmpty ? nil : words),
      example: example ?? words,
      encode: { try $1.encode($0[keyPath: path], forKey: setting) },
      decode: { $0[keyPath: path] = try $1.decode(Value.self, forKey: setting) },
      assign: { $0[keyPath: path] = $1 as! Value },
      check: { try valid?.check($0[keyPath: path], of: setting) })
  }

  /// An option that may be left open.
  ///
  /// - Parameter open: the default in words, if there is one.
  init<Value: Codable & Sendable>(
    _ setting: Setting, _ path: Path<Value?>, _ summary: String, form: String? = nil,
    open standard: String?, example: String, _ valid: Valid<Value>? = nil
  ) {
    self.init(
      setting: setting, summary: summary, form: form, standard: standard, example: example,
      encode: { try $1.encodeIfPresent($0[keyPath: path], forKey: setting) },
      decode: { $0[keyPath: path] = try $1.decodeIfPresent(Value.self, forKey: setting) },
      assign: { $0[keyPath: path] = ($1 as! Value) },
      check: { try $0[keyPath: path].map { try valid?.check($0, of: setting) } })
  }

  /// A value as the command line takes it; empty for an empty list.
  private static func words(_ value: some Codable) -> String {
    switch value {
    case let flag as Bool: flag ? "on" : "off"
    case let number as Double: shortest(number)
    case let word as any RawRepresentable<String>: word.rawValue
    case let list as [any RawRepresentable<String>]: list.map { $0.rawValue }.joined(separator: ",")
    case let list as [any Any]: list.isEmpty ? "" : "\(list)"
    default: "\(value)"
    }
  }
}

extension TrainingOption.Valid {
  fileprivate func check(_ value: Value, of setting: Setting) throws {
    guard holds(value) else { throw Refusal(.input, "\(setting) is \(value)", remedy: remedy) }
  }
}
