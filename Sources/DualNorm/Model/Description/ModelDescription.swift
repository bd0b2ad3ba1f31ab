import Basics
import Foundation
package import Scores
package import Torch

/// Everything that inference needs besides the weights, stored in `model.json`.
package struct ModelDescription: Codable, Equatable, Sendable {
  /// The newest known format of the file; a reader refuses newer ones. Readers of an older format would ignore the new
  /// keys of formats 2 to 4 and segment differently.
  static let currentFormat = 7

  package var network: NetworkPlan
  package var preparation: PreparationPlan
  package var labels: LabelScheme
  /// Names of the modalities, in the order of the channels.
  package var modalities: [String]
  /// Names of the training sites, in the order of domain-specific batch norm's branches; empty if unknown.
  package var sites: [String]
  /// The precision of the convolutions in training, and the default in inference.
  package var precision: Precision
  /// nil for a model of an earlier version, which keeps only the largest component of every class.
  var largestComponents: LargestComponents?
  /// The volumes of the training; nil if unknown.
  var training: TrainingProfile?

  /// The training of another program that made the model, in words; nil for this program's.
  package var origin: String?

  /// The axes along which training mirrored its images; nil if unknown.
  package var mirrorAxes: [MirrorAxis]?

  /// The networks of an ensemble's other members; not saved.
  var otherNetworks: [NetworkPlan] = []
  /// The network, or those of all members of an ensemble.
  package var networks: [NetworkPlan] { [network] + otherNetworks }

  /// Tells whether the network learnt from pictures and not from volumes.
  package var takesPictures: Bool { training?.arePictures ?? false }

  /// Sentences on faults that training found in this model: classes that it does not find.
  package var warnings: [String] = []

  package init(
    network: NetworkPlan, preparation: PreparationPlan, labels: LabelScheme, modalities: [String],
    sites: [String] = [], precision: Precision = .float32, largestComponents: LargestComponents? = nil,
    training: TrainingProfile? = nil, mirrorAxes: [MirrorAxis]? = nil
  ) {
    self.network = network
    self.preparation = preparation
    self.labels = labels
    self.modalities = modalities
    self.sites = sites
    self.precision = precision
    self.largestComponents = largestComponents
    self.training = training
    self.mirrorAxes = mirrorAxes
  }

  /// - Throws: `Refusal` if the parts contradict each other.
  package func validate(file: String) throws {
    guard network.classes == labels.classCount else {
      throw Refusal(
        .input, file, "the network has \(network.classes) classes and the labels \(labels.classCount)",
        remedy: "restore the file")
    }
    let channels = preparation.contextSlices * modalities.count
    guard network.inputChannels == channels else {
      throw Refusal(
        .input, file,
        "the network takes \(network.inputChannels) channels, and \(modalities.count) modalities in "
          + "\(preparation.contextSlices) slices make \(channels)", remedy: "restore the file")
    }
    if let schemes = preparation.nnUNet?.normalizations, schemes.count != modalities.count {
      throw Refusal(
        .input, file,
        "normalizes \(counted(schemes.count, "channel")), and has \(counted(modalities.count, "modality", plural: "modalities"))",
        remedy: "restore the file")
    }
    if case .validated(let classes, _) = largestComponents, classes.count != labels.groups.count {
      throw Refusal(
        .input, file,
        "says of \(counted(classes.count, "class", plural: "classes")) whether the largest component is kept, and "
          + "there are \(labels.groups.count)", remedy: "restore the file")
    }
    guard network.norm != .dsbn || network.sites == sites.count else {
      throw Refusal(
        .input, file,
        "domain-specific batch norm has \(counted(network.sites, "branch", plural: "branches")), and "
          + "\(counted(sites.count, "site")) \(sites.count == 1 ? "is" : "are") named", remedy: "restore the file")
    }
    guard network.levels.dimensions == 2 || preparation.networkSize?.depth != nil else {
      throw Refusal(.input, file, "has a network of volumes, and no window of three sides", remedy: "restore the file")
    }
    let axes = mirrorAxes ?? []
    guard Set(axes).count == axes.count, network.levels.dimensions == 3 || !axes.contains(.z) else {
      throw Refusal(
        .input, file, "mirrors along \(axes.map(\.rawValue).joined(separator: ",")), which its network cannot",
        remedy: "restore the file")
    }
    if let size = network.size, size != preparation.networkSize {
      let made = preparation.networkSize.map { "\($0)" } ?? "any size"
      throw Refusal(
        .input, file,
        "the network works for windows of \(size) only, and the preparation makes \(made)",
        remedy: "make both the same")
    }
    do {
      try network.validate()
    } catch let error as Refusal {
      throw error.about(file)
    }
  }
}
