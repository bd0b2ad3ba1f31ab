import ArgumentParser
import Basics
import Foundation
import Pages

struct ReportCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "report",
    abstract: "Make one HTML page of a training, an evaluation or an experiment.",
    discussion: """
      Example: dualnorm report EVALUATION --output report.html

      The page needs no other file and no network: learning curves, scores by site with their definitions, box plots, \
      the worst, median and best case of each site slice by slice, and what the dual layers do. Images are read from \
      the data set that the folder names, or --data; without them the page has no pictures.
      """)

  @Argument(
    help: ArgumentHelp("The folder that train, evaluate or experiment wrote.", valueName: "run|evaluation|experiment"),
    completion: .directory)
  var folder: String
  @Option(
    name: .shortAndLong,
    help: ArgumentHelp("The page to write. (default: report.html in the folder)", valueName: "file"),
    completion: .file())
  var output: String?
  @Option(
    help: ArgumentHelp("The data set with the images, if it was moved.", valueName: "dir"),
    completion: .directory)
  var data: String?
  @Option(
    name: .shortAndLong,
    help: ArgumentHelp("The run folder of the evaluated model, if it was moved.", valueName: "run"),
    completion: .directory)
  var model: String?
  @Option(help: "Processor threads. (default: one per core)") var threads: Int?
  @OptionGroup(title: "Messages") var messages: MessageOptions

  func validate() throws {
    try validatePage(output, option: "--output")
  }

  func run() throws {
    Messages.begin(messages)
    try useThreads(threads)
    let folder = URL(fileURLWithPath: folder)
    // Find a bad output path before making the page.
    let given = try output.map { try writablePage($0, option: "--output") }
    let file = given ?? folder.appendingPathComponent("report.html")
    if given == nil, (try? folder.resourceValues(forKeys: [.isDirectoryKey]).isDirectory) == true {
      try requireWritable(file)
    }
    let report = try Report(of: folder, data: data, model: model)
    try write(report, to: file, notices: report.notices)
  }
}
