import Basics
import Datasets
import Torch

/// What a step of the training sees.
extension Trainer {
  /// The iterations before a stage: the dual one goes on in the order of slices where the plain one ended.
  func offset(of stage: Stage) -> Int {
    stages.prefix { $0.stage != stage }.reduce(0) { $0 + $1.iterations }
  }

  func slices(of stage: Stage, batch index: Int) -> [SliceSampler.Slice] {
    sampler.batch(offset(of: stage) + index, size: batchSize)
  }

  /// The cases of a batch, for messages.
  func cases(of stage: Stage, batch index: Int) -> String {
    Set(slices(of: stage, batch: index).map { training[$0.volume].source.identifier }).sorted().joined(separator: ", ")
  }

  func loader(for stage: Stage, batches: Range<Int>) -> BatchLoader {
    let seed = configuration.seed
    let stageIndex = Stage.allCases.firstIndex(of: stage)!
    let offset = offset(of: stage)
    let augmentation = Augmentation(
      configuration.augmentation, classes: description.network.classes, zoom: configuration.zoom)
    let context = description.preparation.contextSlices
    return BatchLoader(batches: batches) { [sampler, siteBatches, training, batchSize] index in
      try siteBatches.ordered(sampler.batch(offset + index, size: batchSize)).map { place, slice in
        let original = try training[slice.volume].volume.trainingSlice(slice.z, context: context)
        var generator = SeededGenerator.stream(seed: seed, stageIndex, index, place)
        return augmentation.apply(to: original, using: &generator)
      }
    }
  }
}

/// Slices -> images [N, channels, H, W] in channels-last layout and labels int64 [N, H, W].
func tensors(of batch: [TrainingSlice], on device: Device) -> (images: Tensor, labels: Tensor) {
  let (channels, size) = (batch[0].channels, batch[0].size)
  let images = Tensor(batch.flatMap(\.image), shape: [batch.count, channels, size.height, size.width])
  let labels = Tensor(batch.flatMap(\.labels), shape: [batch.count, size.height, size.width])
  return (images.moved(to: device).channelsLast(), labels.moved(to: device).converted(to: .int64))
}
