import Torch

/// Probabilities of each class in the voxels of a prepared volume: per class, depth × height × width.
public typealias ClassProbabilities = [[Float]]

extension DualNormUNet {
  /// Segments every slice of a volume in the given passes; edge slices see themselves as their missing neighbours.
  ///
  /// - Parameters:
  ///   - passes: those to return; a network without dual blocks gives its only pass for both.
  ///   - site: place of its site among those trained on; nil for another one.
  /// - Returns: class probabilities on the prepared grid.
  public func probabilities(
    of volume: PreparedVolume, passes wanted: Set<Pass> = [.final], site: Int? = nil
  ) -> [Pass: ClassProbabilities] {
    let plane = volume.height * volume.width
    let blank = ClassProbabilities(
      repeating: [Float](repeating: 0, count: volume.depth * plane), count: configuration.classes)
    var result = Dictionary(uniqueKeysWithValues: wanted.map { ($0, blank) })
    // Batches of about this many pixels keep the caches busy and the memory bounded.
    let batch = max(1, min(16, (1 << 18) / plane))
    withoutGradients {
      for start in stride(from: 0, to: volume.depth, by: batch) {
        let slices = start..<min(start + batch, volume.depth)
        let (images, labels) = input(slices.map { (volume, $0) })
        let rows = site.map { SiteRows(site: $0, count: slices.count) }
        forEachPass(over: images, sites: rows, reference: labels, .evaluation) { pass, logits in
          for target in wanted where target == pass || (target == .final && passes.last == pass) {
            store(logits.softmax(1), from: start, into: &result[target]!)
          }
        }
      }
    }
    return result
  }

  /// Slices z of volumes of one size -> images [slices, inputChannels, H, W] and, where all have them, labels int64
  /// [slices, H, W].
  func input(_ slices: [(volume: PreparedVolume, z: Int)]) -> (images: Tensor, labels: Tensor?) {
    let (height, width) = (slices[0].volume.height, slices[0].volume.width)
    let images = Tensor(
      slices.flatMap { $0.volume.input(slice: $0.z, context: configuration.inputChannels / $0.volume.modalityCount) },
      shape: [slices.count, configuration.inputChannels, height, width])
    let labels = slices.compactMap { $0.volume.labels(slice: $0.z) }
    guard labels.count == slices.count else { return (images.channelsLast(), nil) }
    let reference = Tensor(labels.flatMap { $0 }, shape: [slices.count, height, width])
    return (images.channelsLast(), reference.converted(to: .int64))
  }

  /// Writes probabilities [slices, classes, H, W] into the volume from slice `start` on.
  private func store(_ probabilities: Tensor, from start: Int, into volume: inout ClassProbabilities) {
    let values = probabilities.values(Float.self)
    let plane = probabilities.size(2) * probabilities.size(3)
    let classes = probabilities.size(1)
    for slice in 0..<probabilities.size(0) {
      for index in 0..<classes {
        let source = (slice * classes + index) * plane
        volume[index].replaceSubrange(
          (start + slice) * plane..<(start + slice + 1) * plane, with: values[source..<source + plane])
      }
    }
  }
}

/// The most probable class of each voxel; the lower one where two are equal.
public func mostProbableClasses(_ probabilities: ClassProbabilities) -> [UInt8] {
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
