import Basics
import Datasets
package import DualNorm
import Foundation
import MedicalImaging
import Scores

/// A model that a server offers: a trained network, or an ensemble.
package struct ServedModel: Sendable {
  package let name: String
  let service: PredictionService
  var description: ModelDescription { service.description }

  /// - Throws: `Refusal` for a model that cannot segment new volumes.
  package init(name: String, service: PredictionService) throws {
    try service.description.requireNoReference(named: name)
    (self.name, self.service) = (name, service)
  }

  var passes: [Pass] { description.passes }
  var titles: PassTitles { PassTitles(description.passes) }
  /// The sites that a client may name; empty where the network's norms ignore sites.
  var sites: [String] { description.networks.contains { $0.norm == .dsbn } ? description.sites : [] }
  /// Tells whether batch statistics of a volume can replace the training's.
  var adapts: Bool { description.networks.contains(where: \.usesBatchNorm) }
  var takesPictures: Bool { description.takesPictures }

  /// One line for people.
  var summary: String {
    let network = description.network
    let kind = description.networks.count > 1 ? "ensemble of \(description.networks.count), " : ""
    return "\(kind)\(network.levels.dimensions)-D, \(network.summary)"
  }
}

/// The options that a client chooses for a segmentation.
struct SegmentationWish: Sendable {
  var passes: Set<Pass> = [.final]
  /// The site to treat the case as; nil for another site.
  var site: String?
  var adapts = false
  var keepsUncertainty = false

  /// Reads the options of a model from the JSON parameters or the form of a request.
  ///
  /// - Throws: `ServiceError` for a site or a kind of adaptation that the model does not know.
  init(_ model: ServedModel, site: String?, adapt: String?, folderSite: String? = nil) throws {
    switch adapt ?? "" {
    case "", Adaptation.none.rawValue: adapts = false
    case Adaptation.case.rawValue:
      guard model.adapts else {
        throw ServiceError.wrong("The model \(model.name) has no batch norm, so adapt can only be none.")
      }
      adapts = true
    default: throw ServiceError.wrong("The option adapt is none or case.")
    }
    switch site ?? "" {
    case "": self.site = folderSite
    case Self.anotherSite: self.site = nil
    case let name where model.sites.contains(name): self.site = name
    default:
      throw ServiceError.wrong(
        model.sites.isEmpty
          ? "The model \(model.name) ignores sites; leave the option site out."
          : "The option site is one of \(listed([Self.anotherSite] + model.sites, atMost: 20)).")
    }
  }

  static let anotherSite = "another site"
}

extension ServedModel {
  /// Reads a case and segments it.
  ///
  /// - Parameters:
  ///   - whenIdle: see `SegmentationQueue.run`.
  ///   - progress: called with the slices done and their number.
  /// - Throws: `Refusal` for files that cannot be used; `CancellationError` soon after the task was cancelled.
  func segment(
    _ scan: Case, _ wish: SegmentationWish, _ queue: SegmentationQueue, _ ticket: SegmentationQueue.Ticket = .init(),
    whenIdle: Bool = false, largestComponent: LargestComponentChoice,
    progress: @escaping @Sendable (_ done: Int, _ total: Int) -> Void = { _, _ in }
  ) async throws -> SegmentedCase {
    var options = SegmentationOptions(
      passes: wish.passes, site: wish.site, largestComponent: largestComponent, keepsUncertainty: wish.keepsUncertainty)
    options.adaptsToCase = wish.adapts
    // Nobody waits for a cancelled task's result.
    options.progress = {
      progress($0, $1)
      return !Task.isCancelled
    }
    let given = options
    // Reading waits for its turn too, so that only one volume is in memory.
    return try await queue.run(ticket, whenIdle: whenIdle) {
      try await service.segmentWithDoubts(scan, named: "this image", given)
    }
  }
}
