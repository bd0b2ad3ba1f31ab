import ArgumentParser
import Basics
import DualNorm
import Experiments
import Foundation

/// The options of all experiments.
struct ExperimentOptions: ParsableArguments {
  @Option(help: ArgumentHelp("The data set, in any layout that train takes.", valueName: "dir"), completion: .directory)
  var data: String?
  @Option(help: ArgumentHelp("Methods to compare, such as bn,in,dual.", valueName: "method,…")) var methods: NameList
  @Option(help: "Number of networks per method, with the seeds --seed, --seed + 1 and so on.") var seeds = 3
  @Option(
    name: .shortAndLong, help: ArgumentHelp("A new folder, or an experiment to resume.", valueName: "dir"),
    completion: .directory)
  var output: String
  @Option(help: ArgumentHelp("Use the cases of these sites only. (default: all)", valueName: "site,…"))
  var sites: NameList?
  @Option(help: "Number of networks trained in parallel; they share the processor's cores.") var jobs = 1
  @Option(help: "The method to compare the others with. (default: the first)") var baseline: String?
  @Option(help: "Also test with batch statistics of the unlabelled case or site: none, case or site.")
  var adapt = Adaptation.none
  @OptionGroup var components: LargestComponentOption
  @Flag(help: "Keep the masks that each network predicts, and a picture.") var keepMasks = false
  @OptionGroup(title: "Messages") var messages: MessageOptions
  @OptionGroup(title: "Training options (all networks share them; those that --methods names are refused)")
  var training: TrainOptions

  func validate() throws {
    guard (1...64).contains(jobs) else { throw ValidationError("--jobs is \(jobs); give 1 to 64.") }
    let compared: [(String, Bool)] = [
      ("norm", training.norm != nil), ("mask", training.mask != nil), ("mask-source", training.maskSource != nil),
      ("local-statistics", training.localStatistics != nil),
    ]
    for (option, isGiven) in compared where isGiven {
      throw ValidationError("--\(option) is part of what --methods names, such as dual+measured; leave it out.")
    }
  }

  /// Refuses a file that sets the options of methods, which no method would use. A saved configuration holds all
  /// options, so defaults pass.
  private func requireNothingOfMethods(in given: TrainingConfiguration) throws {
    guard let config = training.config else { return }
    let defaults = TrainingConfiguration()
    let compared: [(String, Bool)] = [
      ("norm", given.norm != defaults.norm), ("mask", given.mask != defaults.mask),
      ("mask-source", given.maskSource != defaults.maskSource),
      ("local-statistics", given.localStatistics != defaults.localStatistics),
    ]
    for (option, differs) in compared where differs {
      throw Refusal(
        .input, URL(fileURLWithPath: config).path, "\(option) is part of what --methods names, such as dual+measured",
        remedy: "leave it out")
    }
  }

  /// Runs or resumes the experiment, and prints its table.
  ///
  /// - Parameter complete: sets the options specific to the kind of experiment.
  func run(_ kind: ExperimentConfiguration.Kind, complete: (inout ExperimentConfiguration) -> Void) throws {
    Interruption.listen()
    Messages.begin(messages)
    let shared = try training.resolved()
    try requireNothingOfMethods(in: shared)
    var asked = ExperimentConfiguration(kind, methods: try ExperimentMethod.list(methods.names), training: shared)
    asked.training.data = (data ?? asked.training.data).map { URL(fileURLWithPath: $0).path }
    asked.seeds = seeds
    asked.sites = sites?.names.sorted()
    asked.adaptation = adapt
    asked.largestComponent = components.choice
    if jobs > 1, asked.training.memory == nil {
      asked.training.memory = TrainingConfiguration.defaultMemory / Double(jobs)
    }
    complete(&asked)
    let folder = URL(fileURLWithPath: output)
    if let baseline {
      let recorded = try? ExperimentConfiguration(contentsOf: folder)
      _ = try ExperimentReport.baseline(baseline, among: (recorded?.methods ?? []) + asked.methods)
    }
    let checking = ThreadSafeProgress("cases checked", quiet: messages.quiet)
    let experiment = try Experiment.begin(
      in: folder, asked,
      threads: max(1, ProcessInfo.processInfo.activeProcessorCount / jobs),
      report: { message in
        checking.clear()
        Messages.say(message)
      }, checking: checking.update)
    checking.clear()
    let report = try ExperimentReport(experiment, baseline: baseline)
    let failed = try ExperimentRunner(experiment, jobs: jobs, keepMasks: keepMasks, quiet: messages.quiet).run()
    try report.publish()
    if failed > 0 { throw ExitCode.failure }
  }
}

/// Comma-separated words.
struct NameList: ExpressibleByArgument {
  let names: [String]

  init?(argument: String) {
    names = argument.split(separator: ",", omittingEmptySubsequences: false).map(String.init)
  }
}
