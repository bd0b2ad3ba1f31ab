import ArgumentParser
import Basics
import Datasets
import DualNorm
import Foundation
import Pages
import Scores
import Torch

struct DemoCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "demo",
    abstract: "See it work: train on three simulated hospitals, test on them and on a fourth, unseen one.",
    discussion: """
      Example: dualnorm demo --output demo

      Makes a phantom data set, trains the plain and the dual stage of a small network, evaluates both passes on new \
      patients of all four hospitals, prints a table and writes masks and a picture. Takes a few minutes.
      """)

  @Option(
    name: .shortAndLong,
    help: ArgumentHelp("A new folder for everything; an earlier demo's folder is replaced.", valueName: "dir"),
    completion: .directory)
  var output = "demo"
  @Option(help: "Another seed makes other patients and another network.") var seed: UInt64 = 2
  @Option(help: ArgumentHelp("Iterations of the plain and of the dual stage.", valueName: "plain,dual"))
  var iterations = NumberList(values: [500, 300])
  @Option(help: "Training patients of each hospital, 2 to 200; a quarter as many are used for testing.") var cases = 16
  @OptionGroup(title: "Messages") var messages: MessageOptions

  private var quiet: Bool { messages.quiet }

  private var folder: URL { URL(fileURLWithPath: output) }
  private var marker: URL { folder.appendingPathComponent(".dualnorm-demo") }
  private var runFolder: RunFolder { RunFolder(folder.appendingPathComponent("run")) }

  func validate() throws {
    guard (2...200).contains(cases) else { throw ValidationError("--cases is 2 to 200, not \(cases).") }
  }

  func run() throws {
    Interruption.listen()
    Messages.begin(messages)
    try makeFolder()
    let unseen = PhantomSite.unseen(index: 3)
    let sites = PhantomSite.training(count: 3, seed: seed)
    try write(sites, cases: 0..<cases, to: "data")
    try write(sites + [unseen], cases: cases..<cases + max(cases / 4, 1), to: "test")
    try train()
    let table = try evaluate(unseen: [unseen.name]).namingOnlyPass
    let passes = table.passes.filter { $0 != Pass.first.rawValue + Adaptation.passSuffix }
    print(printableLines(table.overview(of: passes)), terminator: "")
    print(
      "\(passes.last!): with batch statistics of the unlabelled patient at hand (--adapt case) in place of training's.")
    say("Look at \(output)/evaluation/sheet.png. The model is \(output)/run, the data \(output)/data and test.")
  }

  private func makeFolder() throws {
    if FileManager.default.fileExists(atPath: marker.path) { try FileManager.default.removeItem(at: folder) }
    try makeEmptyFolder(folder, option: .output)
    try writeAtomically(Data(), to: marker)
  }

  private func write(_ sites: [PhantomSite], cases: Range<Int>, to name: String) throws {
    say("Making \(sites.count * cases.count) volumes of \(sites.count) simulated hospitals in \(output)/\(name)")
    try Phantom(PhantomConfiguration(sites: sites, cases: cases, seed: seed))
      .write(to: folder.appendingPathComponent(name)) { _, _, _ in }
  }

  private func train() throws {
    var configuration = TrainingConfiguration()
    configuration.data = folder.appendingPathComponent("data").path
    configuration.width = 8
    configuration.iterations = try StageIterations(iterations.values, of: .iterations)
    configuration.batchSize = 6
    configuration.seed = seed
    configuration.precision = .float32  // the README shows its numbers
    let session = try TrainingSession.begin(runFolder, configuration: configuration, report: Messages.say)
    let trainer = try session.trainer()
    say("Training: \(description(of: trainer.stages))")
    try TrainCommand.train(trainer, runFolder, TrainingMessages(quiet: quiet))
  }

  private func evaluate(unseen: Set<String>) throws -> ScoreTable {
    let dataset = try Dataset(contentsOf: folder.appendingPathComponent("test"))
    say("Evaluating on \(dataset.cases.count) patients that training has not seen")
    let output = folder.appendingPathComponent("evaluation")
    let model = try SegmentationModel(contentsOf: runFolder)
    try EvaluationRecord(
      models: [runFolder.url], data: dataset.folder, adaptation: .case,
      largestComponentClasses: model.description.largestComponentNames(), labels: model.description.labels,
      cases: dataset.cases
    ).write(to: output)
    let progress = Progress("cases", of: dataset.cases.count, quiet: quiet)
    let options = EvaluationOptions(adaptation: .case)
    let evaluation = try model.evaluate(dataset.cases, options, writingTo: output) { scan in
      try stopIfInterrupted(progress, "run dualnorm demo again to start over")
      progress.advance(scan.identifier)
    }
    progress.clear()
    try evaluation.write(to: output, classNames: model.description.labels.names, picture: .median(andWorstOf: unseen))
    return evaluation.table
  }

  private func description(of stages: [(stage: Stage, iterations: Int)]) -> String {
    stages.map { "\($0.iterations) iterations of the \($0.stage.rawValue) stage" }.joined(separator: ", then ")
  }

  private func say(_ message: String) {
    Messages.say(message)
  }
}
