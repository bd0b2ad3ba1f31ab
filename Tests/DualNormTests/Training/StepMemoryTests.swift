import Basics
import Datasets
import MedicalImaging
import Testing
import Torch

@testable import DualNorm

/// Windows that no memory holds.
@Suite struct StepMemoryTests {
  private func network(_ window: [Int], dual: Bool = true) -> NetworkPlan {
    let levels = window.count == 3 ? Levels(spacing: [1, 1, 1], window: window) : .slices
    return NetworkPlan(levels: levels, classes: 2, width: 16, dual: dual ? DualPlan([.inc]) : nil)
  }

  /// Peaks of `dualnorm benchmark` on a machine with two cores, in GB, less 0.25 GB of the program.
  @Test(arguments: [
    ([384, 384], 4, Precision.float32, true, 1.05), ([64, 64, 64], 2, .float32, true, 1.77),
    ([64, 64, 64], 2, .bfloat16, true, 0.72), ([96, 96, 96], 2, .bfloat16, false, 1.86),
  ])
  func estimatesAreNear(window: [Int], rows: Int, precision: Precision, dual: Bool, measured: Double) {
    let bytes = StepMemory(network(window, dual: dual), rows: rows, precision).bytes(window)
    #expect(abs(bytes / 1e9 / measured - 1) < 0.3, "\(bytes / 1e9)")
  }

  @Test func aWindowThatFitsIsFound() throws {
    let window = [256, 512, 512]
    let memory = StepMemory(network(window), rows: 2, .float32)
    let fitting = try #require(memory.largestWindow(below: window, within: 8e9))
    let multiples = network(window).levels.multiples
    #expect(memory.bytes(fitting) <= 8e9 && zip(fitting, multiples).allSatisfy { $0 % $1 == 0 })
    #expect(memory.bytes(fitting) > 4e9)
    #expect(memory.largestWindow(below: window, within: 10) == nil)
    #expect(memory.largestWindow(below: [32, 32, 32], within: 8e9) == [32, 32, 32])
  }
}
