package import Torch

/// Training steps of one network; on a GPU a captured graph.
///
/// A step launches more than a thousand operations, and launching them one by one takes longer than running them.
package final class TrainingSteps {
  private let network: DualNormNetwork
  private let optimizer: Adam
  private let kind: LossKind
  private let weighted: Bool

  /// A captured step with its input tensors and results.
  private struct Noted {
    let graph: Graph
    let images, labels: Tensor
    let sites: SiteRows?
    let step: BegunStep
  }
  private var noted: Noted?
  /// The shape and sites of the latest steps, and the number of consecutive steps that had them. These steps run one by
  /// one and do all one-time set-up.
  private var alike = (shape: [Int](), sites: SiteRows?.none, count: 0)
  private static let stepsBeforeGraph = 2
  private var canNote: Bool

  package init(_ network: DualNormNetwork, _ optimizer: Adam, loss kind: LossKind = .published, weighted: Bool = false)
  {
    self.network = network
    self.optimizer = optimizer
    self.kind = kind
    self.weighted = weighted
    canNote = network.device != .cpu && network.fuses && optimizer.canBeNoted
  }

  /// See `DualNormNetwork.trainingStep`.
  package func take(images: Tensor, labels: Tensor, sites: SiteRows? = nil) -> [StepLoss] {
    begin(images: images, labels: labels, sites: sites).losses
  }

  /// Takes a step, and runs `work` while the GPU computes.
  func take(_ batch: TrainingBatch, meanwhile work: () -> Void) -> [StepLoss] {
    let step = begin(images: batch.images, labels: batch.labels, sites: batch.sites)
    work()
    return step.losses
  }

  /// Starts a step without waiting for the GPU. Read the losses before the next step begins.
  func begin(images: Tensor, labels: Tensor, sites: SiteRows?) -> BegunStep {
    guard canNote else { return begin(images, labels, sites) }
    if noted == nil {
      if alike.shape != images.shape || alike.sites != sites { alike = (images.shape, sites, 0) }
      if alike.count == Self.stepsBeforeGraph {
        noted = note(images.copy(), labels.copy(), sites)
        canNote = noted != nil
      }
      alike.count += 1
    }
    guard let noted, noted.images.shape == images.shape, noted.sites == sites else {
      return begin(images, labels, sites)
    }
    noted.images.assign(images)
    noted.labels.assign(labels)
    noted.graph.run()
    return noted.step
  }

  private func begin(_ images: Tensor, _ labels: Tensor, _ sites: SiteRows?) -> BegunStep {
    network.beginTrainingStep(
      images: images, labels: labels, sites: sites, optimizer: optimizer, loss: kind, weighted: weighted)
  }

  private func note(_ images: Tensor, _ labels: Tensor, _ sites: SiteRows?) -> Noted? {
    var step: BegunStep?
    guard let graph = Graph(on: network.device, { step = begin(images, labels, sites) }) else { return nil }
    return Noted(graph: graph, images: images, labels: labels, sites: sites, step: step!)
  }
}
