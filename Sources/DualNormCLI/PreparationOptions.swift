import ArgumentParser
import Basics
import DualNorm

/// The options for turning volumes into the network's input, shared by verbs that make a model.
struct PreparationOptions: ParsableArguments {
  @Option(
    parsing: .unconditional,  // may begin with a minus
    help: ArgumentHelp("Clip intensities before z-score normalization, for example -125,275.", valueName: "low,high"))
  var window: NumberList<Double>?
  @Option(help: ArgumentHelp("Resample slices to this spacing in mm.", valueName: "x,y"))
  var spacing: NumberList<Double>?
  @Option(help: ArgumentHelp("Resample slices to this many pixels.", valueName: "height,width"))
  var resampleSize: NumberList<Int>?
  @Option(
    help: ArgumentHelp(
      "Size of the windows of training, multiples of 16. (default: fits every slice)", valueName: "height,width"))
  var size: NumberList<Int>?

  /// Overrides the configuration with the given options.
  ///
  /// - Throws: `Refusal` for other than two numbers.
  func set(in configuration: inout TrainingConfiguration) throws {
    if let (low, high) = try window?.pair(.window, "the lowest and highest intensity, for example -125,275") {
      configuration.window = IntensityWindow(low: low, high: high)
    }
    if let (x, y) = try spacing?.pair(.spacing, "x and y in mm, for example 0.6,0.6") {
      configuration.spacing = PixelSpacing(x: x, y: y)
    }
    if let size = try resampleSize?.size(.resampleSize) { configuration.resampleSize = size }
    if let size = try size?.size(.size) { configuration.size = size }
  }
}

extension NumberList {
  fileprivate func pair(_ option: Setting, _ expected: String) throws -> (Number, Number) {
    guard values.count == 2 else {
      throw Refusal(.input, "\(option) has \(counted(values.count, "number"))", remedy: "give \(expected)")
    }
    return (values[0], values[1])
  }
}

extension NumberList<Int> {
  fileprivate func size(_ option: Setting) throws -> ImageSize {
    let (height, width) = try pair(option, "height and width in pixels, for example 384,384")
    return ImageSize(height: height, width: width)
  }
}
