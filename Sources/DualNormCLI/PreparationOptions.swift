import ArgumentParser
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
  func set(in configuration: inout TrainingConfiguration) {
    if let window { configuration.window = window.values }
    if let spacing { configuration.spacing = spacing.values }
    if let resampleSize { configuration.resampleSize = resampleSize.values }
    if let size { configuration.size = size.values }
  }
}
