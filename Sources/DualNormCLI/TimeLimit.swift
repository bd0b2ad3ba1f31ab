import ArgumentParser
import Foundation

/// A duration with its unit, such as `90s`, `20m` or `1.5h`.
struct TimeLimit: ExpressibleByArgument, CustomStringConvertible {
  let seconds: Double
  let description: String

  init?(argument: String) {
    let units: [Character: Double] = ["s": 1, "m": 60, "h": 3600]
    guard let unit = argument.last.flatMap({ units[$0] }), let number = Double(argument.dropLast()),
      number.isFinite, number > 0
    else { return nil }
    seconds = number * unit
    description = argument
  }

  var defaultValueDescription: String { description }
}
