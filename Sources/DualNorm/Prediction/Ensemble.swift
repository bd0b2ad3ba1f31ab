import Torch

/// The mean over several segmenters, such as networks of the folds of a cross-validation.
///
/// Each pass gives the mean of their probabilities. The final pass of each runs under the mask of its own first pass.
struct Ensemble: Segmenter {
  let count: Int
  /// Tells whether to average logits, as nnU-Net does, in place of probabilities.
  var averagesLogits = false
  /// Tells whether to keep the mean entropy of the members, which says how much they disagree.
  var keepsEntropy = false
  /// Returns a member; it may read its weights first.
  let member: (Int) -> any Segmenter

  func scores(of input: NetworkInput, _ mode: Mode) -> [Pass: ClassScores] {
    var sums: [Pass: Tensor] = [:]
    /// Sums of what `ClassScores.further` has the means of.
    var further: [Pass: Tensor] = [:]
    var hasFinal = false
    for index in 0..<count {
      let scores = member(index).scores(of: input, mode)
      hasFinal = hasFinal || scores[.final] != nil
      for pass in Pass.allCases {
        // The only pass of a plain network counts for both.
        let found = scores[pass] ?? scores[.first]!
        let values = averagesLogits ? found.classValues : found.probabilities
        sums[pass] = sums[pass].map { $0 + values } ?? values
        guard keepsEntropy else { continue }
        let own = found.further ?? found.entropy(withProbabilities: averagesLogits)
        further[pass] = further[pass].map { $0 + own } ?? own
      }
    }
    if !hasFinal { sums[.final] = nil }
    return sums.reduce(into: [:]) { scores, sum in
      let channels = [sum.value] + (further[sum.key].map { [$0] } ?? [])
      scores[sum.key] = ClassScores(
        .concatenate(channels, dimension: 1) / Double(count), areLogits: averagesLogits,
        furtherCount: further[sum.key]?.size(1) ?? 0)
    }
  }
}

/// Scores whose further channel is the disagreement of an ensemble: the entropy of its mean less the mean entropy of its
/// members. It is taken before windows and grids are joined, so that equal members have none.
struct WithDisagreement: Segmenter {
  let base: any Segmenter

  func scores(of input: NetworkInput, _ mode: Mode) -> [Pass: ClassScores] {
    base.scores(of: input, mode).mapValues { scores in
      guard let further = scores.further else { return scores }
      let entropy = further.narrowed(1, to: 0..<1)
      // The mean of logits is no mean of probabilities, whose entropy bounds that of the members.
      let mean = further.size(1) > 1 ? further.narrowed(1, to: 1..<further.size(1)) : scores.probabilities
      let disagreement = (mean.entropyOfClasses - entropy).clamped(to: 0...Double.infinity)
      return ClassScores(
        .concatenate([scores.classValues, disagreement], dimension: 1), areLogits: scores.areLogits, furtherCount: 1)
    }
  }
}

extension ClassScores {
  /// The entropy of a single network's probabilities, [slices, 1, H, W], and if asked for these themselves behind it.
  fileprivate func entropy(withProbabilities: Bool) -> Tensor {
    let probabilities = probabilities
    let entropy = probabilities.entropyOfClasses
    return withProbabilities ? .concatenate([entropy, probabilities], dimension: 1) : entropy
  }
}

extension Tensor {
  /// The entropy of class probabilities [N, classes, …] in nats, [N, 1, …].
  fileprivate var entropyOfClasses: Tensor {
    let entropy = (self * clamped(to: 1e-30...1).log()).sum([1]) * -1
    return entropy.reshaped([size(0), 1] + shape.dropFirst(2))
  }
}

/// The mean over an image and its mirror images (test-time augmentation), whose probabilities are mirrored back.
///
/// Each mirror image runs both passes, under the mask of its own first pass.
struct Mirrored: Segmenter {
  let base: any Segmenter
  /// Axes to mirror along, together and alone: n axes make 2ⁿ images.
  let axes: [MirrorAxis]
  /// See `Ensemble`.
  var averagesLogits = false
  var keepsEntropy = false

  func scores(of input: NetworkInput, _ mode: Mode) -> [Pass: ClassScores] {
    guard case .evaluation = mode else { return base.scores(of: input, mode) }
    let choices = axes.reduce([[]]) { choices, axis in choices + choices.map { $0 + [axis] } }
    return Ensemble(count: choices.count, averagesLogits: averagesLogits, keepsEntropy: keepsEntropy) { [base] in
      MirrorImage(base: base, axes: choices[$0])
    }
    .scores(of: input, mode)
  }
}

/// One mirror image.
private struct MirrorImage: Segmenter {
  let base: any Segmenter
  let axes: [MirrorAxis]

  func scores(of input: NetworkInput, _ mode: Mode) -> [Pass: ClassScores] {
    guard !axes.isEmpty else { return base.scores(of: input, mode) }
    let volumes = input.images.rank == 5 ? input.images.size(0) : 1
    return base.scores(of: input.mirrored(axes.map(\.fromLast)), mode).mapValues { scores in
      let values = scores.classValues
      // [volumes, slices, classes, H, W]
      let apart = values.reshaped([volumes, values.size(0) / volumes] + values.shape.dropFirst())
      let restored = apart.flipped(axes.map { $0 == .z ? 4 : $0.fromLast })
      return ClassScores(restored.reshaped(values.shape), areLogits: scores.areLogits)
    }
  }
}

/// An axis of the network's images: x along rows of pixels, y along columns, z along slices.
package enum MirrorAxis: String, Codable, Sendable, CaseIterable {
  case x, y, z

  /// Its place among the axes of an image, counted from the last as 1.
  var fromLast: Int {
    switch self {
    case .x: 1
    case .y: 2
    case .z: 3
    }
  }
}
