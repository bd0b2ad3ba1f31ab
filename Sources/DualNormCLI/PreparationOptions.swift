import ArgumentParser
import Basics
import DualNorm

/// The options for turning volumes into the network's input, shared by verbs that make a model.
struct PreparationOptions: ParsableArguments {
  // A window may begin with a minus.
  @Option(parsing: .unconditional, help: .training(.window)) var window: PairArgument<IntensityWindow>?
  @Option(help: .training(.spacing)) var spacing: PairArgument<PixelSpacing>?
  @Option(help: .training(.resampleSize)) var resampleSize: PairArgument<ImageSize>?
  @Option(help: .training(.size)) var size: PairArgument<ImageSize>?
}
