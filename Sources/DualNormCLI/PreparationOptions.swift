import ArgumentParser
import Basics
import DualNorm

/// The options for turning volumes into the network's input, shared by verbs that make a model.
struct PreparationOptions: ParsableArguments {
  // A window may begin with a minus.
  @Option(parsing: .unconditional, help: .training(.window)) var window: TupleArgument<IntensityWindow>?
  @Option(help: .training(.spacing)) var spacing: TupleArgument<VoxelSpacing>?
  @Option(help: .training(.resampleSize)) var resampleSize: TupleArgument<ImageSize>?
  @Option(help: .training(.size)) var size: TupleArgument<Extent>?
}
