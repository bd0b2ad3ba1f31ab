import Basics
import Datasets
import Foundation
import MedicalImaging
import Scores
import Torch

/// A trained model on a thread of its own, for any front end: cases go in, masks come out.
///
/// Tensors never leave its thread. Files are read and written on other threads meanwhile; see `PredictionQueue`.
public actor PredictionService {
  private let thread: TensorThread
  public nonisolated var unownedExecutor: UnownedSerialExecutor { thread.asUnownedSerialExecutor() }

  package nonisolated let description: ModelDescription
  private let make: @Sendable () throws -> SegmentationModel
  private lazy var model = Result { try make() }
  private var adapter: Adapter?

  /// Reads a run folder.
  ///
  /// - Parameters:
  ///   - threads: of one operation; nil takes one a core.
  ///   - overlap: see `SegmentationModel.overlap`.
  /// - Throws: as `SegmentationModel.init`.
  package init(
    contentsOf run: RunFolder, precision: Precision? = nil, device: Device = .cpu, threads: Int? = nil,
    overlap: Double = defaultOverlap
  ) async throws {
    description = try run.readDescription()
    thread = TensorThread(threads: threads ?? ProcessInfo.processInfo.activeProcessorCount)
    make = {
      let model = try SegmentationModel(contentsOf: run, precision: precision, device: device)
      model.overlap = overlap
      return model
    }
    _ = try model.get()
  }

  /// Reads the model of a run folder.
  ///
  /// - Throws: `Refusal` for a folder that holds no model, or a damaged one.
  public init(contentsOf folder: URL) async throws { try await self.init(contentsOf: RunFolder(folder)) }

  /// The classes, and the values that they have in masks.
  public nonisolated var labels: LabelScheme { description.labels }

  /// Segments a volume, or a picture, on the grid of its file.
  ///
  /// - Parameter images: a file for each modality, in the order of the training.
  /// - Throws: `Refusal` for files that cannot be read, or that do not fit the model.
  public func segment(_ images: URL...) async throws -> LabelMap {
    guard let first = images.first else {
      throw Refusal(.input, "No image is given", remedy: "give a file for each modality")
    }
    let scan = Case(name: first.lastPathComponent, site: "", images: images, mask: nil)
    return try segment(description.prepared(scan), SegmentationOptions())[0].labels
  }

  /// Takes batch statistics of cases or sites from now on; see `Adapter`.
  package func adapt(
    _ adaptation: Adaptation, cases: [Case], progress: @escaping @Sendable (Int, Int) throws -> Void
  ) throws {
    adapter = Adapter(try model.get(), adaptation, cases: cases, progress: progress)
  }

  /// Segments a case that `ModelDescription.prepared` read.
  ///
  /// - Parameter item: is let go as soon as the network has seen it.
  /// - Throws: as `Adapter.statistics`.
  package func segment(
    _ item: consuming PreparedCase, _ options: SegmentationOptions
  ) throws -> [SegmentationModel.Segmentation] {
    let statistics = try adapter?.statistics(for: item, site: options.site)
    return try model.get().segment(
      consume item, passes: options.passes, site: options.site, statistics: statistics,
      largestComponent: options.largestComponent, keepsProbabilities: options.keepsProbabilities)
  }
}

/// How a service segments a case.
package struct SegmentationOptions: Sendable {
  package var passes: Set<Pass>
  /// What the case's site is taken for; see `SegmentationModel.segment`.
  package var site: String?
  package var largestComponent: LargestComponentChoice
  package var keepsProbabilities: Bool

  package init(
    passes: Set<Pass> = [.final], site: String? = nil, largestComponent: LargestComponentChoice = .asInModel,
    keepsProbabilities: Bool = false
  ) {
    (self.passes, self.site) = (passes, site)
    (self.largestComponent, self.keepsProbabilities) = (largestComponent, keepsProbabilities)
  }
}
