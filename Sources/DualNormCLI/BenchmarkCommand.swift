import ArgumentParser
import Basics
import DualNorm
import Foundation
import Torch

/// Times single training steps and predictions of a network on synthetic images.
struct BenchmarkCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "benchmark", abstract: "Time training and prediction on this machine.",
    discussion: """
      Example: dualnorm benchmark --size 128,128

      The images are noise; their content makes no difference.
      """)

  @Option(help: "Channels of the first level.")
  var width = 32
  @Option(help: ArgumentHelp("Height and width of a slice. (default: 384,384)", valueName: "height,width"))
  var size: NumberList<Int>?
  @Option(help: "Slices per batch.")
  var batchSize = 4
  @Option(help: "Classes, the background included.")
  var classes = 2
  @Option(
    help: ArgumentHelp("Blocks with region-wise norms, or none. (default: inc,down1,down2,down3)", valueName: "block,…")
  )
  var dualBlocks: BlockList?
  @Option(help: "Convolutions in float32, tf32, or bfloat16. (default: as in train)") var precision: Precision?
  @Option(help: ArgumentHelp("Device of the network: cpu, cuda, cuda:1, or auto.", valueName: "device"))
  var device = DeviceChoice.cpu
  @Option(help: "Processor threads. (default: one per core)")
  var threads: Int?
  @Option(help: "Number of measurements of each task; the median is printed.")
  var repetitions = 5
  @Flag(help: "Run norm, ReLU and convolution one by one instead of fused.")
  var plain = false
  @Flag(help: "Read train, predict, convolve or augment from standard input, one per line; answer with seconds.")
  var serve = false

  func validate() throws {
    guard repetitions > 0 else { throw ValidationError("--repetitions is \(repetitions); give at least 1.") }
    guard let sides = size?.values else { return try validateBatch() }
    guard (2...3).contains(sides.count), sides.allSatisfy({ (8...4096).contains($0) }),
      sides.count == 3 || sides.allSatisfy({ $0 % Architecture.residualUNet.sizeMultiple == 0 })
    else {
      throw ValidationError(
        "--size wants height and width, multiples of \(Architecture.residualUNet.sizeMultiple), such as 384,384, or "
          + "depth, height and width from 8 on, such as 32,64,64.")
    }
    try validateBatch()
  }

  private func validateBatch() throws {
    guard batchSize > 0 else { throw ValidationError("--batch-size is \(batchSize); give at least 1.") }
  }

  func run() throws {
    try useThreads(threads)
    let size = try Extent(size?.values ?? [384, 384], of: .size)
    let levels = size.depth == nil ? Levels.slices : Levels(spacing: [1, 1, 1], window: size.sizes)
    let blocks = dualBlocks?.blocks ?? Architecture.residualUNet.standardDualBlocks(depth: levels.depth)
    let plan = NetworkPlan(
      levels: levels, classes: classes, inputChannels: size.depth == nil ? 3 : 1, width: width,
      dual: blocks.isEmpty ? nil : DualPlan(blocks), size: size)
    let device = try self.device.resolved()
    if let warning = device.warning { printError(warning) }
    let precision = precision ?? .standard(on: device)
    let bench = try Benchmark(
      plan, batchSize: batchSize, size: size, precision: precision, fused: !plain, device: device)
    func memory() -> Int { device == .cpu ? peakMemory() : device.peakMemory }
    if serve {
      while let line = readLine() {
        guard let task = Benchmark.Task(rawValue: line) else {
          throw Refusal(
            .input, "Standard input", "\(line) is no task", remedy: "give train, predict, convolve or augment")
        }
        print(bench.time(of: task), memory())
        fflush(nil)
      }
    } else {
      print(row("precision", precision.rawValue))
      for task in Benchmark.Task.allCases {
        _ = bench.time(of: task)
        let times = (0..<repetitions).map { _ in bench.time(of: task) }.sorted()
        print(row(task.title, String(format: "%.3f s", times[times.count / 2])))
      }
      print(row("peak memory", "\(memory() >> 20) MiB"))
    }
  }

  private func row(_ title: String, _ value: String) -> String {
    title.padding(toLength: 32, withPad: " ", startingAt: 0) + value
  }

  /// The peak memory of this process, in bytes.
  private func peakMemory() -> Int {
    var usage = rusage()
    #if os(Linux)
      getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
      return usage.ru_maxrss * 1024
    #else
      getrusage(RUSAGE_SELF, &usage)
      return usage.ru_maxrss
    #endif
  }
}
