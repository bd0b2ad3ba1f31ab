import Testing

@testable import DualNorm
@testable import Experiments

@Suite struct ExperimentMethodTests {
  @Test(arguments: [
    ("bn", "bn"), ("dsbn", "dsbn"), ("dual", "dual"), ("bn+dual", "dual"), ("in+dual", "in+dual"),
    ("measured+dual", "dual+measured"), ("bn+dual+hard+measured", "dual+measured+hard"),
    ("gn+dual+uniform+measured", "gn+dual+measured+uniform"),
  ])
  func aMethodHasOneName(written: String, name: String) throws {
    #expect(try ExperimentMethod(written).name == name)
    #expect(try ExperimentMethod(name) == ExperimentMethod(written))
  }

  @Test(arguments: [
    ("dula", "dual"), ("bnn", "bn"), ("", "bn"), ("bn+bn", "bn"), ("dual+measure", "dual+measured"),
    ("dual+reference+uniform", "dual+measured+uniform"), ("bn+measured", "dual+measured"), ("in+gn", "in"),
    ("BN", "bn"),
  ])
  func anUnknownNameIsRefusedWithTheNearest(written: String, nearest: String) {
    #expect(
      sentence { try ExperimentMethod(written) }
        == "--methods: the method \"\(written)\" is unknown; the nearest is \"\(nearest)\" (NORM[+dual][+measured][+hard]"
        + "[+reference or +uniform], where NORM is bn, in, gn, ln, dsbn).")
  }

  @Test func aListNamesEachOnce() {
    #expect(
      sentence { try ExperimentMethod.list(["bn", "dual", "bn+dual"]) }
        == "--methods names dual twice; name each method once.")
  }

  /// All methods take the same number of steps.
  @Test func aMethodSetsItsTraining() throws {
    var options = TrainingConfiguration()
    options.iterations = [30, 20]
    let plain = try ExperimentMethod("gn").applied(to: options)
    #expect(plain.norm == .gn && plain.dualBlocks == [] && plain.iterations == [50, 0])
    options.localStatistics = .measured
    try ExperimentMethod("bn").applied(to: options).validate()
    options.localStatistics = .predicted
    let dual = try ExperimentMethod("in+dual+measured+hard+uniform").applied(to: options)
    #expect(dual.norm == .in && dual.dualBlocks == options.dualBlocks && dual.iterations == [30, 20])
    #expect(dual.localStatistics == .measured && dual.mask == .hard && dual.maskSource == .uniform)
    let published = try ExperimentMethod("dual").applied(to: options)
    #expect(published == options)
  }

  @Test func aDualMethodNeedsItsBlocksAndStage() throws {
    var options = TrainingConfiguration()
    options.dualBlocks = []
    #expect(
      sentence { try ExperimentMethod("dual").applied(to: options) }
        == "The method dual needs dual blocks, and --dual-blocks is none; name blocks or leave it out.")
    options = TrainingConfiguration()
    options.iterations = [10, 0]
    #expect(
      sentence { try ExperimentMethod("dual+hard").applied(to: options) }
        == "The method dual+hard needs iterations of the dual stage, and --iterations is 10,0; give the second number too."
    )
  }
}
