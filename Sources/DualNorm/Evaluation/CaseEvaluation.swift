import Basics
import Datasets
import Foundation
import MedicalImaging
import Pictures
import Scores
import Torch

/// Segments, keeps and scores one case after the other of an evaluation.
struct CaseEvaluation {
  let model: SegmentationModel
  let adapter: Adapter
  let scheme: LabelScheme
  let scorer: Scorer
  let largestComponent: LargestComponentChoice
  /// nil keeps no masks and makes no rows.
  let output: URL?
  /// The volumes unlike those of the training.
  var far: FarVolumes

  struct Result {
    var scores: [CaseScore] = []
    var row: SheetRow?
  }

  mutating func result(of scan: Case, side: TrainingSide?) throws -> Result {
    let reference = try reference(of: scan)
    let item = try model.prepared(scan, excluding: scheme.excluded)
    if let difference = item.volume.grid.storedGeometry.mismatch(with: reference.geometry) {
      throw InputError(
        "\(scan.mask!.path): does not lie on the voxels of its image \(scan.images[0].path): \(difference); resample the "
          + "mask onto the image or correct the wrong header.")
    }
    far.add(item)
    var result = Result()
    let statistics = try adapter.statistics(for: item, site: scan.site)
    let passes = model.evaluationPasses(of: item, adaptedTo: statistics, largestComponent: largestComponent)
    for pass in passes {
      if let output, let folder = pass.folder {
        try pass.labels.write(
          to: output.appendingPathComponent("\(folder)/\(scan.site)/\(scan.name)\(scan.maskEnding)"))
      }
      result.scores += scorer.scores(
        prediction: pass.labels, reference: reference, site: scan.site, caseName: scan.name, pass: pass.name)
    }
    for index in result.scores.indices { result.scores[index].side = side }
    if output != nil { result.row = try sheetRow(of: scan, reference, passes, result.scores) }
    return result
  }

  private func reference(of scan: Case) throws -> LabelMap {
    guard let mask = scan.mask else { throw InputError("\(scan.images[0].path): has no mask to be scored against.") }
    let reference = try LabelMap(contentsOf: mask)
    _ = try scheme.classes(of: reference, file: mask.path)
    return reference
  }

  private func sheetRow(
    of scan: Case, _ reference: LabelMap, _ results: [EvaluationPass], _ scores: [CaseScore]
  ) throws -> SheetRow {
    func dice(_ pass: String) -> Double? {
      let own = scores.filter { $0.site == scan.site && $0.caseName == scan.name && $0.pass == pass }
      return Statistic(own.compactMap { $0[.dice] }).mean
    }
    func note(_ pass: String) -> String { dice(pass).map { "Dice " + fixed($0, decimals: 3) } ?? "" }
    func classes(_ pass: String) throws -> LabelMap? {
      try results.first { $0.name == pass }.map { try scheme.classes(of: $0.labels, file: scan.identifier) }
    }
    let (first, final) = (Pass.first.rawValue, Pass.final.rawValue)
    let adapted = (results.contains { $0.name == final } ? final : first) + Adaptation.passSuffix
    var row = SheetRow(
      title: scan.identifier, channels: try Image.channels(contentsOf: scan.images[0]),
      z: SheetRow.fullestSlice(of: reference), reference: try scheme.classes(of: reference, file: scan.identifier),
      firstPass: try classes(first), finalPass: try classes(final), adaptedPass: try classes(adapted))
    (row.firstNote, row.finalNote, row.adaptedNote) = (note(first), note(final), note(adapted))
    row.dice = results.last.flatMap { dice($0.name) }
    return row
  }
}

/// One row of an evaluation's table for a case.
private struct EvaluationPass {
  let name: String
  /// Where its masks are kept, if they are.
  let folder: String?
  let labels: LabelMap
}

extension SegmentationModel {
  /// The passes of the network, then the same with other batch statistics, where there are any.
  fileprivate func evaluationPasses(
    of item: PreparedCase, adaptedTo statistics: BatchStatistics?, largestComponent: LargestComponentChoice
  ) -> [EvaluationPass] {
    func passes(_ statistics: BatchStatistics?, suffix: String, _ folder: (Pass) -> String?) -> [EvaluationPass] {
      segment(
        item, passes: Set(network.passes), site: item.source.site, statistics: statistics,
        largestComponent: largestComponent
      ).map { EvaluationPass(name: $0.pass.rawValue + suffix, folder: folder($0.pass), labels: $0.labels) }
    }
    let last = network.passes.last
    let own = passes(nil, suffix: "") { $0 == last ? "predictions" : "first-pass" }
    guard let statistics else { return own }
    return own + passes(statistics, suffix: Adaptation.passSuffix) { $0 == last ? "predictions-adapted" : nil }
  }
}
