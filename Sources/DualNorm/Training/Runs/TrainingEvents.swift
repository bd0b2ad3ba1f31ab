import Basics
import Datasets
import Foundation
import MedicalImaging
import Pictures
import Scores
import TensorBoard
import Torch

/// A run's events for TensorBoard. A step is an iteration, counted through both stages.
final class TrainingEvents {
  private let folder: URL
  private var file: EventFile?
  private let description: ModelDescription
  private let titles: PassTitles
  private let sampling: any Sampling
  /// A window of a slice of each site.
  private let shown: [(item: PreparedCase, slice: Int, window: Window, channels: [[Float]])]

  /// - Parameters:
  ///   - passes: the passes of the finished network.
  ///   - validation: cases with labels; the pictures show each site's first case, its slice with the most labels.
  /// - Throws: `Refusal` for a picture that can no longer be read.
  init(_ folder: URL, _ description: ModelDescription, _ passes: [Pass], validation: [PreparedCase]) throws {
    self.folder = folder
    titles = PassTitles(passes)
    self.description = description
    let sampling = DualNorm.sampling(description.preparation)
    self.sampling = sampling
    let cases = validation.sorted { $0.source.identifier < $1.source.identifier }
    let sites = Set(cases.map(\.source.site)).sorted()
    shown = try sites.map { site in
      let item = cases.first { $0.source.site == site }!
      let slice = item.volume.fullestSlice
      let window = sampling.central(slice: slice, of: item.volume)
      return (item, slice, window, try item.shownChannels(slice: slice, in: window))
    }
  }

  /// Writes the scalars of an iteration.
  func append(_ progress: TrainingProgress, step: Int) throws {
    var values = progress.losses.map { EventValue.scalar("loss/\($0.pass.rawValue) pass", $0.value) }
    values.append(.scalar("learning rate", progress.learningRate))
    if let hardDice = progress.losses.last?.hardDice { values.append(.scalar("loss/hard Dice", hardDice)) }
    if let validation = progress.validation {
      if let dice = validation.dice { values.append(.scalar("validation Dice/mean of sites", dice)) }
      for (site, dice) in validation.diceBySite.sorted(by: { $0.key < $1.key }) {
        values.append(.scalar("validation Dice/\(site)", dice))
      }
    }
    try append(values, step: step)
  }

  /// Writes the state of the network: histograms of convolution weights and of the dual layers' γ and β, and pictures.
  ///
  /// The pictures show one slice per site, with outlines of the labels and of each pass's prediction.
  func append(_ network: DualNormNetwork, step: Int) throws {
    var values = network.parameters.trainable.filter(\.isWeight).map {
      EventValue.histogram("weights/\($0.name)", $0.tensor.values(Float.self))
    }
    if let (item, slice, _, _) = shown.first {
      let site = description.branch(ofSite: item.source.site)
      for map in network.dualMaps(of: item.volume, slice: slice, sampling, site: site) {
        values.append(.histogram("gamma/\(map.block.name.rawValue).norm_\(map.index)", map.gamma))
        values.append(.histogram("beta/\(map.block.name.rawValue).norm_\(map.index)", map.beta))
      }
    }
    let firstTitle = titles.heading(of: .first)
    for (item, slice, window, channels) in shown {
      let row = row(item, slice, window, channels, by: network)
      let sheet = SliceSheet(rows: [row], classNames: description.labels.names, firstTitle: firstTitle).render()
      let png = try pngData(sheet.pixels, width: sheet.width, height: sheet.height, components: 3)
      values.append(.picture("slices/\(item.source.site)", png: png, width: sheet.width, height: sheet.height))
    }
    try append(values, step: step)
  }

  private func row(
    _ item: PreparedCase, _ slice: Int, _ window: Window, _ channels: [[Float]], by network: DualNormNetwork
  ) -> SheetRow {
    let segmenter = network.segmenter(ofSite: description.branch(ofSite: item.source.site))
    let found = withoutGradients {
      segmenter.scores(of: sampling.input([(item.volume, window)], on: network.device), .evaluation)
        .mapValues { plane(slice, of: $0.classes, in: window) }
    }
    return SheetRow(
      title: "\(item.source.identifier) \(slice)", width: window.columns.count,
      height: window.rows.count, channels: channels,
      reference: item.volume.labels(in: window).map { plane(slice, of: $0, in: window) },
      firstPass: found[.first], finalPass: found[.final])
  }

  /// The values of a slice in those of a window.
  private func plane(_ slice: Int, of values: [UInt8], in window: Window) -> [UInt8] {
    let count = window.rows.count * window.columns.count
    return Array(values[(slice - window.slices.lowerBound) * count..<(slice - window.slices.lowerBound + 1) * count])
  }

  /// Appends events. The first creates the file, so a resumed run has a file of its own.
  private func append(_ values: [EventValue], step: Int) throws {
    do {
      let file = try self.file ?? EventFile(in: folder, from: step)
      self.file = file
      try file.append(values, step: step)
    } catch let error as Refusal where error.kind == .file {
      let isResumable = RunFolder(folder.deletingLastPathComponent()).hasCheckpoint
      throw isResumable ? error.remarking("the last checkpoint is intact") : error
    }
  }
}

extension PreparedVolume {
  /// The slice with the most labelled pixels; the first of several.
  fileprivate var fullestSlice: Int {
    let counts = (0..<depth).map { z in labels(slice: z)?.count { $0 > 0 } ?? 0 }
    return counts.firstIndex(of: counts.max()!)!
  }
}
