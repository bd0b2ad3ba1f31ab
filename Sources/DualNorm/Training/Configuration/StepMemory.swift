import Basics
import Datasets
import Foundation
import MedicalImaging
import Torch

/// The memory of a training step on a processor, by which windows that no memory holds are refused before they are tried.
struct StepMemory {
  private let network: NetworkPlan
  private let rows: Int
  private let precision: Precision

  /// - Parameter rows: the windows of a batch.
  init(_ network: NetworkPlan, rows: Int, _ precision: Precision) {
    (self.network, self.rows, self.precision) = (network, rows, precision)
  }

  /// Bytes at a step's peak, estimated by the channels of all levels. docs/performance.md has what was measured.
  func bytes(_ window: [Int]) -> Double {
    let levels = network.levels
    let values = (0...levels.depth).reduce(0.0) { sum, level in
      sum + levels.size(window, at: level).reduce(Double(network.channels(level))) { $0 * Double($1) }
    }
    // LibTorch's convolutions in float32 copy the neighbours of every voxel.
    let isOfVolumes = levels.dimensions == 3
    let plain: Double = precision == .bfloat16 ? (isOfVolumes ? 50 : 24) : (isOfVolumes ? 130 : 40)
    let passes = network.dual == nil ? 1 : isOfVolumes ? 1.1 : 1.4
    // Stages of V-Net are twice as wide in the decoder, and its kernels reach farther.
    let factor: Double = network.architecture == .vnet ? (isOfVolumes ? 3 : 2) : 1
    return (plain * passes * factor * values + attentionBytes(window)) * Double(rows)
  }

  /// Bytes of a transformer's attention: four copies of tokens × tokens numbers a layer and head.
  private func attentionBytes(_ window: [Int]) -> Double {
    guard network.architecture == .transUNet else { return 0 }
    let tokens = network.levels.size(window, at: network.levels.depth).reduce(1.0) { $0 * Double($1) }
    return 16 * Double(network.transformer.layers * network.transformer.heads) * tokens * tokens
  }

  /// The largest window below another that takes at most so many bytes; nil if none does.
  func largestWindow(below window: [Int], within bytes: Double) -> [Int]? {
    let multiples = network.levels.multiples
    var smaller = window
    while self.bytes(smaller) > bytes {
      let axes = smaller.indices.filter { smaller[$0] > multiples[$0] }
      guard let axis = axes.max(by: { smaller[$0] < smaller[$1] }) else { return nil }
      smaller[axis] -= multiples[axis]
    }
    return smaller
  }
}

extension TrainingConfiguration {
  /// These options and their model. Where they leave the width open, the model is the widest that the memory holds.
  ///
  /// - Parameter choosesWidth: whether a narrower network may take the place of the options'.
  /// - Throws: the errors of `description(of:data:)` and `requireRoom(for:)`.
  func withRoom(
    of split: Split, data: CheckedData, choosesWidth: Bool
  ) throws -> (configuration: TrainingConfiguration, description: ModelDescription) {
    var (configuration, model) = (self, try description(of: split, data: data))
    for narrower in choosesWidth ? timedWidths : [] where narrower < width {
      guard let bytes = try configuration.stepBytes(of: model), bytes > Double(VolumeMemory.ofMachine) else { break }
      configuration.width = narrower
      model = try configuration.description(of: split, data: data)
    }
    try configuration.requireRoom(for: model)
    return (configuration, model)
  }

  /// Bytes of a training step on a processor; nil on other devices, and if the window is unknown.
  private func stepBytes(of description: ModelDescription) throws -> Double? {
    guard try device.resolved() == .cpu, let window = description.preparation.networkSize else { return nil }
    let rows = batchSize(sites: description.sites.count)
    return StepMemory(description.network, rows: rows, description.precision).bytes(window.sizes)
  }

  /// Refuses windows that the memory of the machine cannot hold in a training step.
  ///
  /// - Throws: `Refusal` with both figures, and a window that fits.
  package func requireRoom(for description: ModelDescription) throws {
    guard let needed = try stepBytes(of: description), let window = description.preparation.networkSize else { return }
    let rows = batchSize(sites: description.sites.count)
    let memory = StepMemory(description.network, rows: rows, description.precision)
    let room = Double(VolumeMemory.ofMachine)
    guard needed > room else { return }
    func gigabytes(_ bytes: Double) -> String { String(format: bytes < 1e10 ? "%.2g" : "%.0f", bytes / 1e9) }
    let subject =
      size == nil
      ? "The windows of the training are \(window), which hold the largest slice," : "\(Setting.size) is \(window),"
    // Half of the memory leaves room for the volumes and other programs.
    let fitting = memory.largestWindow(below: window.sizes, within: room / 2)
    throw Refusal(
      .input,
      "\(subject) and a step of \(counted(rows, "window")) takes about \(gigabytes(needed)) GB of this machine's "
        + "\(gigabytes(room)) GB",
      remedy: "give "
        + (fitting.map { "\(Setting.size) \($0.map(String.init).joined(separator: ",")), or " } ?? "")
        + "a smaller \(Setting.batchSize) or \(Setting.width)")
  }
}
