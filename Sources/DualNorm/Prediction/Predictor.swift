import Torch

/// Probabilities of each class in the voxels of a prepared volume, or some of its slices: per class, depth × height × width.
typealias ClassProbabilities = [[Float]]

extension DualNormNetwork {
  /// Segments every slice of a volume in the given passes, slab by slab, so that memory does not grow with the slices; edge
  /// slices see themselves as their missing neighbours.
  ///
  /// - Parameters:
  ///   - wanted: the passes; a network without dual blocks gives its only pass for both.
  ///   - site: place of its site among those trained on; nil for another one.
  ///   - body: gets a pass's logits of some slices, [slices, classes, H, W], the slabs in order.
  func forEachSlab(
    of volume: PreparedVolume, passes wanted: Set<Pass> = [.final], site: Int? = nil,
    _ body: (Pass, Range<Int>, Tensor) -> Void
  ) {
    let plane = volume.height * volume.width
    // Large enough to amortize Winograd's transform of the weights.
    let count = max(1, min(32, (1 << 20) / plane))
    withoutGradients {
      for start in stride(from: 0, to: volume.depth, by: count) {
        let slices = start..<min(start + count, volume.depth)
        let batch = input(slices.map { (volume, $0) })
        let rows = site.map { SiteRows(site: $0, count: slices.count) }
        forEachPass(over: batch.images, sites: rows, reference: batch.labels, .evaluation) { pass, logits in
          for target in Pass.allCases
          where wanted.contains(target) && (target == pass || (target == .final && passes.last == pass)) {
            body(target, slices, logits.full)
          }
        }
      }
    }
  }

  /// Class probabilities of all slices.
  func probabilities(
    of volume: PreparedVolume, passes wanted: Set<Pass> = [.final], site: Int? = nil
  ) -> [Pass: ClassProbabilities] {
    let none = ClassProbabilities(repeating: [], count: plan.classes)
    var result = Dictionary(uniqueKeysWithValues: wanted.map { ($0, none) })
    forEachSlab(of: volume, passes: wanted, site: site) { pass, _, logits in
      for (index, values) in logits.probabilitiesByClass.enumerated() { result[pass]![index] += values }
    }
    return result
  }

  /// The most probable class of each voxel on the network's grid, by the last pass.
  func classes(of volume: PreparedVolume, site: Int?) -> [UInt8] {
    var classes: [UInt8] = []
    forEachSlab(of: volume, site: site) { _, _, logits in classes += logits.largestChannel().values(UInt8.self) }
    return classes
  }

  /// The network's input for slices z of volumes of one size.
  func input(_ slices: [(volume: PreparedVolume, z: Int)]) -> NetworkInput {
    let channels = plan.inputChannels
    let labels = slices.compactMap { $0.volume.labels(slice: $0.z) }
    return NetworkInput(
      images: slices.flatMap { $0.volume.input(slice: $0.z, context: channels / $0.volume.modalityCount) },
      labels: labels.count == slices.count ? labels.flatMap { $0 } : nil, slices: slices.count, channels: channels,
      size: ImageSize(height: slices[0].volume.height, width: slices[0].volume.width), on: device)
  }
}

extension Tensor {
  /// Logits [slices, classes, H, W] -> probabilities by class, slices × H × W.
  var probabilitiesByClass: ClassProbabilities {
    let probabilities = softmax(1)
    return (0..<size(1)).map { probabilities.narrowed(1, to: $0..<$0 + 1).values(Float.self) }
  }
}

/// The most probable class of each voxel; the lower one where two are equal.
func mostProbableClasses(_ probabilities: ClassProbabilities) -> [UInt8] {
  var classes = [UInt8](repeating: 0, count: probabilities[0].count)
  var best = probabilities[0]
  for index in 1..<probabilities.count {
    probabilities[index].withUnsafeBufferPointer { values in
      for voxel in values.indices where values[voxel] > best[voxel] {
        best[voxel] = values[voxel]
        classes[voxel] = UInt8(index)
      }
    }
  }
  return classes
}
