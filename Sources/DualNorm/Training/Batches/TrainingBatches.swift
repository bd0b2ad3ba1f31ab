import Torch

/// The input of a training step, on the network's device.
struct TrainingBatch {
  /// [N, channels, H, W], or [N, channels, D, H, W] of volumes; channels-last.
  let images: Tensor
  /// int64 [N, H, W], or [N, D, H, W]
  let labels: Tensor
  /// The site of each row, for domain-specific batch norm.
  let sites: SiteRows?

  /// - Parameter examples: at least one; all of one size.
  init(_ examples: [TrainingExample], sites: SiteRows?, on device: Device) {
    let input = NetworkInput(
      images: examples.flatMap(\.image), labels: examples.flatMap(\.labels), sizes: examples[0].extent.sizes,
      channels: examples[0].channels, on: device)
    (images, labels, self.sites) = (input.images, input.labels!, sites)
  }
}

/// The batches of a stage, in order.
final class TrainingBatches {
  private let plan: BatchPlan
  private let stage: Stage
  private let device: Device
  private let loader: BatchLoader
  /// The index of the batch to load next.
  private var index: Int
  private var prefetched: Result<TrainingBatch?, any Error>?

  /// Starts loading the batches.
  ///
  /// - Parameter range: indices among the stage's batches.
  init(_ plan: BatchPlan, of stage: Stage, _ range: Range<Int>, on device: Device) {
    (self.plan, self.stage, self.device) = (plan, stage, device)
    loader = plan.loader(of: stage, batches: range)
    index = range.lowerBound
  }

  /// The next batch; nil after the last.
  ///
  /// - Throws: `Refusal` if a volume kept in a file cannot be read.
  func next() throws -> TrainingBatch? {
    guard let batch = prefetched else { return try load() }
    prefetched = nil
    return try batch.get()
  }

  /// Loads the next batch now, while the device works on the current one. `next` returns it, or throws the error.
  func prefetch() { prefetched = Result { try load() } }

  /// Stops loading.
  func close() { loader.close() }

  private func load() throws -> TrainingBatch? {
    guard let slices = try loader.next() else { return nil }
    defer { index += 1 }
    return TrainingBatch(slices, sites: plan.sites(of: stage, batch: index), on: device)
  }
}
