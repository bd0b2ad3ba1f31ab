import Basics
import Foundation
import TestSupport
import Testing

@testable import DualNorm
@testable import DualNormCLI

/// The options of training, declared once: the command line, the file and the configuration agree.
@Suite struct TrainOptionTests {
  /// Values as they are typed, other than the defaults.
  private static let typed: [(Setting, String, yaml: String)] = [
    (.network, "unet++", "unet++"), (.dimensions, "3", "3"), (.width, "8", "8"), (.norm, "in", "in"),
    (.dualBlocks, "inc,up1", "[inc, up1]"),
    (.mask, "hard", "hard"), (.maskSource, "uniform", "uniform"), (.localStatistics, "measured", "measured"),
    (.reduction, "4", "4"), (.context, "5", "5"), (.mergeLabels, "1,2", "[[1, 2]]"), (.excludeLabels, "3,5", "[3, 5]"),
    (.window, "-125,275", "[-125, 275]"), (.spacing, "0.6,0.7", "[0.6, 0.7]"), (.resampleSize, "64,48", "[64, 48]"),
    (.size, "64,48", "[64, 48]"), (.whitening, "volume", "volume"), (.validationFraction, "0.2", "0.2"),
    (.holdOut, "0.1", "0.1"), (.splits, "/folds.json", "/folds.json"), (.fold, "2", "2"),
    (.iterations, "30,20", "[30, 20]"), (.batchSize, "4", "4"), (.learningRate, "0.01", "0.01"),
    (.schedule, "plateau", "plateau"), (.weightDecay, "0.01", "0.01"), (.loss, "published", "published"),
    (.foregroundShare, "0.3", "0.3"), (.averaging, "0.9", "0.9"), (.augmentation, "flip,noise", "[flip, noise]"),
    (.flipAxes, "x,y", "[x, y]"), (.zoom, "1.5", "1.5"), (.validateEvery, "7", "7"), (.precision, "float32", "float32"),
    (.device, "auto", "auto"),
    (.initial, "/run", "/run"), (.freezeExcept, "outc", "[outc]"), (.seed, "4", "4"), (.threads, "1", "1"),
    (.memory, "3", "3"),
  ]

  @Test(arguments: typed) func theCommandLineAndTheFileSetTheSame(_ setting: Setting, _ word: String, yaml: String)
    throws
  {
    let folder = try TemporaryFolder()
    let file = folder.file("options.yaml")
    try "\(setting.rawValue): \(yaml)\n".write(to: file, atomically: true, encoding: .utf8)
    let typed = try TrainOptions.parse([setting.description, word]).resolved()
    #expect(try typed == TrainOptions.parse(["--config", file.path]).resolved())
    #expect(typed != TrainingConfiguration())
  }

  @Test func everyOptionHasAValueAbove() {
    // A transformer's options need its network; see BackboneCommandTests.
    let others: Set<Setting> = [
      .data, .recipe, .skipUnpaired, .deepSupervision, .weightedCrossEntropy, .transformerLayers, .transformerHeads,
    ]
    #expect(Set(Self.typed.map(\.0)).union(others) == Set(TrainingOption.all.map(\.setting)))
  }

  @Test func flagsAndRecipe() throws {
    #expect(try !TrainOptions.parse(["--no-deep-supervision"]).resolved().deepSupervision)
    let published = try TrainOptions.parse(["--recipe", "published", "--weighted-cross-entropy"]).resolved()
    #expect(published.recipe == .published && published.weightedCrossEntropy)
  }

  @Test(arguments: [
    ("--zoom", "0.5", "--zoom is 0.5; give the largest magnification, from 1 to 4"),
    ("--batch-size", "0", "--batch-size is 0; give 1 to 100000 slices"),
    ("--context", "2", "--context is 2; give an odd number of slices from 1 to 15, so that there is a middle one"),
    ("--size", "64", "--size is 64; give two numbers, height and width in pixels, for example 384,384"),
    (
      "--window", "1,2,3",
      "--window is 1.0,2.0,3.0; give two numbers, the lowest and highest intensity, "
        + "for example -125,275"
    ),
    ("--validate-every", "0", "--validate-every is 0; give at least 1 iteration"),
    ("--flip-axes", "x,z", "--flip-axes is x,z, and --dimensions is 2; leave z out"),
    ("--learning-rate", "2", "--learning-rate is 2.0; give a number above 0, up to 1"),
  ])
  func aValueOutOfRangeIsRefused(option: String, value: String, sentence: String) {
    let error = #expect(throws: Refusal.self) { try TrainOptions.parse([option, value]).resolved() }
    #expect(error.map { "\($0)".contains(sentence) } == true, "\(error.map { "\($0)" } ?? "")")
  }
}
