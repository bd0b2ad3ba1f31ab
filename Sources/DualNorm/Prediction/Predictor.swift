import Foundation

/// Class probabilities of a prepared volume, or of some of its slices: per class, depth × height × width.
typealias ClassProbabilities = [[Float]]

extension DualNormNetwork {
  /// The most probable class of each voxel on the network's grid, by the last pass.
  func classes(of volume: PreparedVolume, _ sampling: any Sampling, site: Int?) -> [UInt8] {
    var classes: [UInt8] = []
    segmenter(ofSite: site).forEachSlab(of: volume, sampling, passes: [.final], on: device) { _, _, scores in
      classes += scores.classes
    }
    return classes
  }
}

/// Argmax over the classes of each voxel; ties go to the lower class.
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

/// Softmax over the classes of each voxel.
func probabilities(ofLogits logits: ClassProbabilities) -> ClassProbabilities {
  var greatest = logits[0]
  for map in logits.dropFirst() {
    for voxel in map.indices where map[voxel] > greatest[voxel] { greatest[voxel] = map[voxel] }
  }
  var sums = [Float](repeating: 0, count: greatest.count)
  let powers = logits.map { map in
    var powers = map
    for voxel in map.indices {
      powers[voxel] = exp(map[voxel] - greatest[voxel])
      sums[voxel] += powers[voxel]
    }
    return powers
  }
  return powers.map { map in zip(map, sums).map { $0 / $1 } }
}
