import Basics
package import Datasets
public import Foundation
public import MedicalImaging
public import Scores
package import Torch

/// A trained model on its own thread, for any front end: cases go in, masks come out.
///
/// Tensors never leave its thread. `PredictionQueue` reads and writes files on other threads meanwhile.
public actor PredictionService {
  private let thread: TensorThread
  public nonisolated var unownedExecutor: UnownedSerialExecutor { thread.asUnownedSerialExecutor() }

  package nonisolated let description: ModelDescription
  private let make: @Sendable () throws -> SegmentationModel
  private lazy var model = Result { try make() }
  private var adapter: Adapter?

  /// Reads run folders; several make an ensemble.
  ///
  /// - Parameters:
  ///   - mirrors: see `SegmentationModel.init`.
  ///   - threads: number of threads per operation; nil takes one per core.
  ///   - overlap: see `SegmentationModel.overlap`.
  /// - Throws: the errors of `SegmentationModel.init`.
  package init(
    contentsOf runs: [RunFolder], mirrors: Bool = false, precision: Precision? = nil, device: Device = .cpu,
    threads: Int? = nil, overlap: Double = defaultOverlap
  ) async throws {
    description = try .ensemble(runs.map { ($0.url.path, try $0.readDescription()) })
    thread = TensorThread(threads: threads ?? ProcessInfo.processInfo.activeProcessorCount)
    make = {
      let model = try SegmentationModel(contentsOf: runs, mirrors: mirrors, precision: precision, device: device)
      model.overlap = overlap
      return model
    }
    _ = try model.get()
  }

  /// Reads the model of a run folder.
  ///
  /// - Throws: `Refusal` for a folder that holds no model, or a damaged one.
  public init(contentsOf folder: URL) async throws { try await self.init(contentsOf: [RunFolder(folder)]) }

  /// The classes and their values in masks.
  public nonisolated var labels: LabelScheme { description.labels }

  /// Segments a volume or a picture on the grid of its file.
  ///
  /// - Parameter images: one file per modality, in the order of training.
  /// - Throws: `Refusal` for files that cannot be read or do not fit the model.
  public func segment(_ images: URL...) async throws -> LabelMap {
    guard let first = images.first else {
      throw Refusal(.input, "No image is given", remedy: "give a file for each modality")
    }
    let scan = Case(name: first.lastPathComponent, site: "", images: images, mask: nil)
    return try segment(description.prepared(scan), SegmentationOptions())[0].labels
  }

  /// Makes later cases use batch statistics of their own or of their site; see `Adapter`.
  package func adapt(
    _ adaptation: Adaptation, cases: [Case], progress: @escaping @Sendable (Int, Int) throws -> Void
  ) throws {
    try model.get().requireAdaptable()
    adapter = Adapter(try model.get(), adaptation, cases: cases, progress: progress)
  }

  /// Segments a case that `ModelDescription.prepared` read.
  ///
  /// - Parameter item: consumed; its intensities are freed before post-processing.
  /// - Throws: the errors of `Adapter.statistics`; `CancellationError` where the options' `progress` ends it.
  package func segment(
    _ item: consuming PreparedCase, _ options: SegmentationOptions
  ) throws -> [SegmentationModel.Segmentation] {
    let model = try model.get()
    if options.adaptsToCase { try model.requireAdaptable() }
    let adapter = options.adaptsToCase ? Adapter(model, .case, cases: []) : adapter
    let statistics = try adapter?.statistics(for: item, site: options.site)
    return try model.segment(
      consume item, passes: options.passes, site: options.site, statistics: statistics,
      largestComponent: options.largestComponent, keepsProbabilities: options.keepsProbabilities,
      keepsUncertainty: options.keepsUncertainty, progress: options.progress)
  }
}

/// Options for the segmentation of a case.
package struct SegmentationOptions: Sendable {
  package var passes: Set<Pass>
  /// Site to treat the case as; see `SegmentationModel.segment`.
  package var site: String?
  package var largestComponent: LargestComponentChoice
  package var keepsProbabilities: Bool
  package var keepsUncertainty: Bool
  /// Takes batch statistics on the case itself, whatever `PredictionService.adapt` was told.
  package var adaptsToCase = false
  /// Called on the tensors' thread with the slices done and their number; false ends the segmentation.
  package var progress: (@Sendable (_ done: Int, _ total: Int) -> Bool)?

  package init(
    passes: Set<Pass> = [.final], site: String? = nil, largestComponent: LargestComponentChoice = .asInModel,
    keepsProbabilities: Bool = false, keepsUncertainty: Bool = false
  ) {
    self.keepsUncertainty = keepsUncertainty
    (self.passes, self.site) = (passes, site)
    (self.largestComponent, self.keepsProbabilities) = (largestComponent, keepsProbabilities)
  }
}
