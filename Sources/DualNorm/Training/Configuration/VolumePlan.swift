import Basics
package import Datasets
import Foundation
import MedicalImaging
import Torch

/// Size and spacing of a volume that a network sees, in the order of a tensor's axes: D, H, W.
struct VolumeShape {
  let size: [Int]
  let spacing: [Double]

  init(size: [Int], spacing: [Double]) { (self.size, self.spacing) = (size, spacing) }

  init(_ geometry: Geometry) {
    let (voxels, mm) = (geometry.size, geometry.spacingMM)
    (size, spacing) = ([voxels.z, voxels.y, voxels.x], [mm.z, mm.y, mm.x])
  }

  /// The spacing that all volumes are resampled to: the median, as in nnU-Net.
  ///
  /// Where one axis is more than three times as coarse as the others and has less than a third of their voxels, it takes
  /// its tenth percentile.
  static func commonSpacing(_ shapes: [VolumeShape]) -> PreparationPlan.Resampling {
    func percentile(_ share: Double, _ values: [Double]) -> Double {
      let (sorted, place) = (values.sorted(), share * Double(values.count - 1))
      let (low, high) = (sorted[Int(place)], sorted[min(Int(place) + 1, values.count - 1)])
      return low + (high - low) * (place - place.rounded(.down))
    }
    func ofAxis(_ axis: Int) -> [Double] { shapes.map { $0.spacing[axis] } }
    var target = (0..<3).map { percentile(0.5, ofAxis($0)) }
    let sizes = (0..<3).map { axis in percentile(0.5, shapes.map { Double($0.size[axis]) }) }
    let coarse = target.indices.max { target[$0] < target[$1] }!
    let others = target.indices.filter { $0 != coarse }
    let next = others.map { target[$0] }.max()!
    if target[coarse] > 3 * next, sizes[coarse] * 3 < others.map({ sizes[$0] }).min()! {
      target[coarse] = max(percentile(0.1, ofAxis(coarse)), next + 1e-5)
    }
    return .spacingMM(x: target[2], y: target[1], z: target[0])
  }
}

/// Window and levels of a 3-D network, planned from the training volumes by the rules of nnU-Net 2.8.1.
///
/// The window begins with the volumes' aspect, is cut to their median size, and shrinks along its relatively longest
/// axis until a step is affordable.
struct VolumePlan {
  let window: Extent
  let levels: Levels

  /// - Parameters:
  ///   - shapes: of the training volumes; at least one.
  ///   - window: the window, if the user gives it.
  ///   - isAffordable: tells whether a training step with a window is.
  /// - Throws: the errors of `isAffordable`.
  init(_ shapes: [VolumeShape], window: Extent?, isAffordable: (Extent, Levels) throws -> Bool) rethrows {
    let spacing = (0..<3).map { axis in median(shapes.map { $0.spacing[axis] })! }
    if let window {
      (self.window, levels) = (window, Levels(spacing: spacing, window: window.sizes))
      return
    }
    let typical = (0..<3).map { axis in median(shapes.map { Double($0.size[axis]) })! }
    var size = zip(Self.aspect(spacing), typical).map { min($0, Int($1.rounded(.up))) }
    var levels = Levels(spacing: spacing, window: size)
    size = levels.padded(size)
    while try !isAffordable(Extent(size), levels) {
      let shares = zip(size, typical).map { Double($0) / $1 }
      // The last of equals, as nnU-Net's sorting gives.
      let shrinking = shares.indices.filter { size[$0] > levels.multiples[$0] }
      guard let axis = shrinking.reversed().max(by: { shares[$0] < shares[$1] }) else { break }
      var smaller = size
      smaller[axis] -= levels.multiples[axis]
      size[axis] -= Levels(spacing: spacing, window: smaller).multiples[axis]
      levels = Levels(spacing: spacing, window: size)
      size = levels.padded(size)
    }
    (self.window, self.levels) = (Extent(size), levels)
  }

  /// A box of 256³ voxels that is a cube in mm.
  private static func aspect(_ spacing: [Double]) -> [Int] {
    let scale = cbrt(256.0 * 256 * 256 * spacing.reduce(1, *))
    return spacing.map { Int((scale / $0).rounded(.toNearestOrEven)) }
  }
}

extension Levels {
  /// Poolings and kernels for a window, as nnU-Net plans them.
  ///
  /// An axis is pooled while it has at least 8 voxels and its spacing is below twice the finest of such axes. A last
  /// axis alone needs 12 voxels. A kernel is 1 along an axis until the axis's spacing is below twice the finest.
  package init(spacing: [Double], window: [Int]) {
    var (spacing, size) = (spacing, window)
    var kernel = spacing.map { _ in 1 }
    var (poolings, kernels): ([[Int]], [[Int]]) = ([], [])
    while true {
      let large = size.indices.filter { size[$0] >= 2 * Self.smallestSide }
      let finest = large.map { spacing[$0] }.min() ?? 0
      let pooled = large.filter { spacing[$0] / finest < 2 }
      if pooled.isEmpty || pooled.count == 1 && size[pooled[0]] < 3 * Self.smallestSide { break }
      for axis in kernel.indices where spacing[axis] / spacing.min()! < 2 { kernel[axis] = 3 }
      poolings.append(size.indices.map { pooled.contains($0) ? 2 : 1 })
      kernels.append(kernel)
      for axis in pooled {
        spacing[axis] *= 2
        size[axis] = (size[axis] + 1) / 2
      }
    }
    self.init(poolings: poolings, kernels: kernels + [spacing.map { _ in 3 }])
  }

  /// The fewest voxels of an axis after a pooling.
  private static let smallestSide = 4

  /// The smallest size that holds a size and is a multiple of the poolings.
  package func padded(_ size: [Int]) -> [Int] {
    zip(size, multiples).map { ($0 + $1 - 1) / $1 * $1 }
  }
}

extension TrainingConfiguration {
  /// The levels of a 3-D network for these cases and a window.
  package func levels(of facts: [CaseFacts], window: [Int]) throws -> Levels {
    let shapes = try resampledShapes(facts).shapes
    return Levels(spacing: (0..<3).map { axis in median(shapes.map { $0.spacing[axis] })! }, window: window)
  }

  /// Seconds of the longest step of the plain stage that a plan chooses.
  static let longestPlannedStep = 1.2
  /// Voxels of the smallest window that a plan chooses, however long its step.
  static let smallestPlannedWindow = 32 * 32 * 32

  /// Tells whether a step of the plain stage is short enough on this machine's processor, and leaves half of its memory.
  ///
  /// The seconds are estimated from the multiplications.
  func isAffordable(_ window: Extent, _ levels: Levels, _ facts: [CaseFacts]) throws -> Bool {
    let rows = batchSize(sites: Set(facts.map(\.scan.site)).count)
    let plan = NetworkPlan(network, levels: levels, classes: 2, width: width, norm: .bn)
    let precision = try settledPrecision()
    // Forward and backward take about three times the forward pass.
    let operations = 3 * 2 * plan.multiplications(window.sizes) * Double(rows)
    let cores = Double(threads ?? ProcessInfo.processInfo.activeProcessorCount)
    let seconds = operations / (cores * (precision == .bfloat16 ? 200e9 : 110e9))
    let bytes = StepMemory(plan, rows: rows, precision).bytes(window.sizes)
    return seconds <= Self.longestPlannedStep && bytes <= Double(VolumeMemory.ofMachine) / 2
  }
}

extension NetworkPlan {
  /// Multiplications of the residual U-Net's convolutions in a forward pass over one window.
  func multiplications(_ window: [Int]) -> Double {
    (0...levels.depth).reduce(0) { sum, level in
      let voxels = levels.size(window, at: level).reduce(1) { $0 * Double($1) }
      let (kernel, own) = (Double(levels.kernels[level].reduce(1, *)), Double(channels(level)))
      let above = level == 0 ? Double(inputChannels) / kernel : Double(channels(level - 1))
      let encoder = (above + 2 * own) * own * kernel
      // The deepest level has another block; the others an upsampling, a joining convolution and a block.
      let decoder =
        level == levels.depth
        ? 2 * own * own * kernel : 4 * own * own * kernel + Double(channels(level + 1)) * own * kernel
      return sum + voxels * (encoder + decoder)
    }
  }
}
