import ArgumentParser
import Basics
import Datasets
import Foundation

struct PrepareCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "prepare",
    abstract: "Make a site of a data set from published images and masks, by a recipe.",
    discussion: """
      Example: dualnorm prepare --recipe btcv-8-organs --images img --labels label --site BTCV --output DATA

      Recipes: \(DataRecipe.names.joined(separator: ", ")); a YAML file of your own works too. Writes \
      DATA/SITE/CASE.nii.gz, CASE_segmentation.nii.gz and prepared.json, and prints what it did to each case. Run it \
      again for the next site. docs/preparation.md explains recipes and what each published data set needs.
      """)

  @Option(help: ArgumentHelp("A recipe of the program, or a YAML file.", valueName: "name|file"), completion: .file())
  var recipe: String
  @Option(help: ArgumentHelp("The folder of the volumes.", valueName: "dir"), completion: .directory) var images: String
  @Option(help: ArgumentHelp("The folder of their masks.", valueName: "dir"), completion: .directory) var labels: String
  @Option(help: ArgumentHelp("The name of the site to make.", valueName: "name")) var site: String
  @Option(
    name: .shortAndLong,
    help: ArgumentHelp("The data set: a new folder, or one that holds other sites.", valueName: "dir"),
    completion: .directory)
  var output: String
  @Flag(help: "Crop to the labelled slices and the recipe's margin. For cases that are never tested on.")
  var training = false
  @Flag(help: "Leave out images without a mask and masks without an image.") var skipUnpaired = false
  @OptionGroup var volumes: MemoryOption
  @OptionGroup(title: "Messages") var messages: MessageOptions

  private var quiet: Bool { messages.quiet }

  func run() throws {
    Interruption.listen()
    Messages.begin(messages)
    volumes.apply()
    let preparation = try SitePreparation(
      recipe: recipe, images: URL(fileURLWithPath: images), labels: URL(fileURLWithPath: labels), site: site,
      output: URL(fileURLWithPath: output), training: training, skipUnpaired: skipUnpaired,
      version: programVersion)
    let progress = Progress("cases", of: preparation.pairs.cases.count, quiet: quiet)
    var isFirst = true
    let prepared = try preparation.run { scan in
      try stopIfInterrupted(progress, "\(output)/\(site) was not made")
      if !isFirst { progress.advance(scan.name) }
      isFirst = false
    }
    progress.advance()
    progress.clear()
    print(printableLines("\(prepared)"))
    Messages.say("Wrote \(output)/\(site). Next: dualnorm train --data \(output) --output RUN")
  }
}
