import ArgumentParser
import Basics
import Datasets
import Foundation

struct PhantomCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "phantom",
    abstract: "Make a data set of several sites with known truth.",
    discussion: """
      Example: dualnorm phantom --output DATA --sites 3 --cases 8

      Writes Site-A/Case00.nii.gz, Case00_segmentation.nii.gz and so on: organs of varied shape, scanned by hospitals \
      that differ in contrast, bias field, noise, blur, gain, spacing and orientation. The same options make the same \
      voxels.
      """)

  @Option(
    name: .shortAndLong,
    help: ArgumentHelp("The folder to write: a new or an empty one.", valueName: "dir"), completion: .directory)
  var output: String

  @Option(help: "Hospitals, 1 to 26 (named Site-A to Site-Z).")
  var sites = 3

  @Option(help: "Cases of each hospital, 1 to 1000.")
  var cases = 8

  @Option(help: ArgumentHelp("Voxels of a volume, 32x32x4 to 512x512x512.", valueName: "XxYxZ"))
  var size = VoxelSize(voxels: [64, 64, 16])

  @Option(help: "Labels besides background, 1 to 3: organ, neighbour, vessel.")
  var classes = 2

  @Option(help: "Another seed makes other patients.")
  var seed: UInt64 = 1

  @Flag(help: "Add one more hospital, far from all others.")
  var unseen = false

  @OptionGroup(title: "Messages") var messages: MessageOptions

  func run() throws {
    Messages.begin(messages)
    let most = PhantomSite.maximumCount - (unseen ? 1 : 0)
    guard 1...most ~= sites else {
      throw Refusal(.input, "--sites is 1 to \(most)\(unseen ? " with --unseen" : ""), not \(sites)")
    }
    guard 1...1000 ~= cases else { throw Refusal(.input, "--cases is 1 to 1000, not \(cases)") }
    guard 1...3 ~= classes else { throw Refusal(.input, "--classes is 1 to 3, not \(classes)") }
    var list = PhantomSite.training(count: sites, seed: seed)
    if unseen { list.append(.unseen(index: sites)) }
    let phantom = try Phantom(
      PhantomConfiguration(
        sites: list, cases: 0..<cases, size: size.voxels, foregroundClasses: classes, seed: seed))
    let progress = ThreadSafeProgress("cases", quiet: messages.quiet)
    try phantom.write(to: URL(fileURLWithPath: output)) { _, ordinal, count in progress.update(ordinal, of: count) }
    progress.clear()
    print(output)
  }
}

/// A size such as `64x64x16` on the command line.
struct VoxelSize: ExpressibleByArgument {
  let voxels: SIMD3<Int>

  init(voxels: SIMD3<Int>) { self.voxels = voxels }

  init?(argument: String) {
    let parts = argument.split(separator: "x", omittingEmptySubsequences: false).map { Int($0) }
    guard parts.count == 3, let x = parts[0], let y = parts[1], let z = parts[2] else { return nil }
    voxels = [x, y, z]
  }

  var defaultValueDescription: String { "\(voxels.x)x\(voxels.y)x\(voxels.z)" }
}
