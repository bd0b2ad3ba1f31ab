import Torch

/// Anything that scores the classes of each pixel of a batch: a network, or several whose probabilities are averaged.
protocol Segmenter {
  /// Class scores of each pass. A network without dual norms has only the first pass.
  func scores(of input: NetworkInput, _ mode: Mode) -> [Pass: ClassScores]
}

extension Segmenter {
  /// The first pass's probabilities in the shape of the network's output.
  func firstProbabilities(of input: NetworkInput) -> Tensor {
    let found = scores(of: input, .evaluation)[.first]!.probabilities
    guard input.images.rank == 5 else { return found }
    let (rows, depth) = (input.images.size(0), input.images.size(2))
    return found.reshaped([rows, depth] + found.shape.dropFirst()).permuted(0, 2, 1, 3, 4)
  }
}

/// One network, for images of a training site or with norms that ignore sites.
struct TrainedNetwork: Segmenter {
  let network: DualNormNetwork
  /// The branch of domain-specific batch norm.
  let site: Int?

  func scores(of input: NetworkInput, _ mode: Mode) -> [Pass: ClassScores] {
    logits(of: input.images, labels: input.labels, mode).mapValues { ClassScores($0, areLogits: true) }
  }

  /// The class probabilities of each pass, [N, classes, …].
  func probabilities(of images: Tensor) -> [Pass: Tensor] {
    logits(of: images, labels: nil, .evaluation).mapValues { $0.softmax(1) }
  }

  private func logits(of images: Tensor, labels: Tensor?, _ mode: Mode) -> [Pass: Tensor] {
    var found: [Pass: Tensor] = [:]
    let rows = site.map { SiteRows(site: $0, count: images.size(0)) }
    network.forEachPass(over: images, sites: rows, reference: labels, mode) { found[$0] = $1.full }
    return found
  }
}

/// The average over all branches of domain-specific batch norm, for images of a site without a branch.
///
/// Each pass gives the mean of the branches' probabilities. The mean of the first pass is the mask of every branch.
struct BranchEnsemble: Segmenter {
  let network: DualNormNetwork

  func scores(of input: NetworkInput, _ mode: Mode) -> [Pass: ClassScores] {
    probabilities(of: input.images, labels: input.labels, mode).mapValues { ClassScores($0, areLogits: false) }
  }

  /// The mean of the branches' class probabilities for each pass, [N, classes, …].
  func probabilities(of images: Tensor, labels: Tensor?, _ mode: Mode = .evaluation) -> [Pass: Tensor] {
    let first = mean(images, mask: nil, mode)
    guard let mask = network.finalMask(after: first, reference: labels) else { return [.first: first] }
    return [.first: first, .final: mean(images, mask: mask, mode)]
  }

  private func mean(_ images: Tensor, mask: Tensor?, _ mode: Mode) -> Tensor {
    let parts = (0..<network.plan.sites).map { branch in
      network(images, mask: mask, sites: SiteRows(site: branch, count: images.size(0)), mode).softmax(1)
    }
    return parts.dropFirst().reduce(parts[0], +) / Double(parts.count)
  }
}

extension DualNormNetwork {
  /// - Parameter site: index of the images' site among the training sites; nil for another site.
  func segmenter(ofSite site: Int?) -> any Segmenter {
    site == nil && plan.sites > 1 ? BranchEnsemble(network: self) : TrainedNetwork(network: self, site: site)
  }
}

/// Scores of each class in the pixels of some slices: logits of one network, or class probabilities.
struct ClassScores {
  /// [slices, classes, H, W], then the channels of `further` if there are any.
  let values: Tensor
  let areLogits: Bool
  /// The number of last channels that are no classes; see `further`.
  let furtherCount: Int
  /// The part of `values` that lies in the volume.
  private let slices, rows, columns: Range<Int>

  /// - Parameter values: [slices, classes, H, W]; or [N, classes, D, H, W] of volumes, whose slices follow each other.
  init(_ values: Tensor, areLogits: Bool, furtherCount: Int = 0) {
    let slices = values.rank == 5 ? values.slicesOfVolumes : values
    self.init(
      slices, areLogits: areLogits, furtherCount, slices: 0..<slices.size(0), rows: 0..<slices.size(2),
      columns: 0..<slices.size(3))
  }

  private init(
    _ values: Tensor, areLogits: Bool, _ furtherCount: Int, slices: Range<Int>, rows: Range<Int>,
    columns: Range<Int>
  ) {
    (self.values, self.areLogits, self.furtherCount) = (values, areLogits, furtherCount)
    (self.slices, self.rows, self.columns) = (slices, rows, columns)
  }

  /// The same scores, limited to some slices, rows and columns.
  func cropped(slices: Range<Int>, rows: Range<Int>, columns: Range<Int>) -> ClassScores {
    ClassScores(values, areLogits: areLogits, furtherCount, slices: slices, rows: rows, columns: columns)
  }

  private func cropped(_ tensor: Tensor) -> Tensor {
    let last = tensor.rank - 1
    let parts = [(0, slices), (last - 1, rows), (last, columns)]
    return parts.reduce(tensor) { $1.1 == 0..<$0.size($1.0) ? $0 : $0.narrowed($1.0, to: $1.1) }
  }

  /// Argmax over the classes of each pixel, slices × H × W; ties go to the lower class.
  var classes: [UInt8] { cropped(ofClasses.largestChannel()).values(UInt8.self) }

  /// [slices, classes, H, W]
  var probabilities: Tensor { cropped(areLogits ? ofClasses.softmax(1) : ofClasses) }

  private var ofClasses: Tensor { values.narrowed(1, to: 0..<values.size(1) - furtherCount) }

  /// The mean entropy of an ensemble's members in nats and, where it averages logits, the mean of their probabilities.
  /// Or what they disagree in (`WithDisagreement`). [slices, furtherCount, H, W]; nil unless kept.
  var further: Tensor? {
    furtherCount > 0 ? cropped(values.narrowed(1, to: values.size(1) - furtherCount..<values.size(1))) : nil
  }

  /// Logits or probabilities of the classes as they are: [slices, classes, H, W].
  var classValues: Tensor { cropped(ofClasses) }

  /// The same per class, slices × H × W.
  var valuesByClass: ClassProbabilities { Self.byClass(classValues) }

  private static func byClass(_ values: Tensor) -> ClassProbabilities {
    (0..<values.size(1)).map { values.narrowed(1, to: $0..<$0 + 1).values(Float.self) }
  }

  /// Class probabilities: per class, slices × H × W.
  var probabilitiesByClass: ClassProbabilities { Self.byClass(probabilities) }

  /// All channels of the part that lies in the volume.
  var inVolume: Tensor { cropped(values) }
}

extension Tensor {
  /// The slices of volumes one after the other: [N, C, D, H, W] -> [N · D, C, H, W].
  fileprivate var slicesOfVolumes: Tensor {
    permuted(0, 2, 1, 3, 4).reshaped(size(0) * size(2), size(1), size(3), size(4))
  }
}
