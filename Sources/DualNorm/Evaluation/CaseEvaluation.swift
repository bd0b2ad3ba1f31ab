import Basics
import Datasets
import Foundation
import MedicalImaging
import Pictures
import Scores
import Torch

/// Segments and scores the cases of an evaluation one by one, and writes their masks.
struct CaseEvaluation {
  let model: SegmentationModel
  let adapter: Adapter
  let scheme: LabelScheme
  let scorer: Scorer
  let largestComponent: LargestComponentChoice
  let keepsUncertainty: Bool
  /// The folder for masks; nil writes none and keeps no cases for the picture.
  let output: URL?
  /// The volumes unlike the training volumes.
  var far: FarVolumes

  struct Result {
    var scores: [CaseScore] = []
    /// The uncertainty of the last pass with the model's own statistics; nil unless measured, or without any class.
    var uncertainty: Double?
    /// The case for the picture; nil if no masks are written.
    var shown: SheetPicker.Candidate?
  }

  mutating func result(of scan: Case, side: TrainingSide?) throws -> Result {
    let reference = try reference(of: scan)
    let item = try model.description.prepared(scan, excluding: scheme.excluded)
    if let difference = item.volume.grid.storedGeometry.mismatch(with: reference.geometry) {
      throw Refusal(
        .input, scan.mask!.path, "does not lie on the voxels of its image \(scan.reference.path): \(difference)",
        remedy: "resample the mask onto the image or correct the wrong header")
    }
    far.add(item)
    var result = Result()
    let statistics = try adapter.statistics(for: item, site: scan.site)
    let passes = try model.evaluationPasses(
      of: item, adaptedTo: statistics, largestComponent: largestComponent, keepsUncertainty: keepsUncertainty)
    result.uncertainty = passes.last { $0.uncertainty != nil }?.uncertainty
    for pass in passes {
      if let output, let folder = pass.folder {
        try pass.labels.write(
          to: output.appendingPathComponent("\(folder)/\(scan.site)/\(scan.name)\(scan.maskEnding)"),
          withRoomFor: scheme.largestFileValue)
      }
      result.scores += scorer.scores(
        prediction: pass.labels, reference: reference, site: scan.site, caseName: scan.name, pass: pass.name)
    }
    for index in result.scores.indices { result.scores[index].side = side }
    if output != nil { result.shown = try candidate(scan, reference, passes, result.scores) }
    return result
  }

  private func reference(of scan: Case) throws -> LabelMap {
    guard let reference = try scan.labels() else {
      throw Refusal(.input, scan.reference.path, "has no mask to be scored against")
    }
    _ = try scheme.classes(of: reference, file: scan.mask!.path)
    return reference
  }

  private func candidate(
    _ scan: Case, _ reference: LabelMap, _ results: [EvaluationPass], _ scores: [CaseScore]
  ) throws -> SheetPicker.Candidate {
    func dice(_ pass: String) -> Double? {
      Statistic(scores.filter { $0.pass == pass }.compactMap { $0[.dice] }).mean
    }
    func note(_ pass: String) -> String { dice(pass).map { "Dice " + fixed($0, decimals: 3) } ?? "" }
    let z = SheetRow.fullestSlice(of: reference)
    func slice(_ labels: LabelMap) throws -> ClassMap {
      try scheme.classes(of: labels.slices(z..<z + 1), file: scan.identifier)
    }
    func found(_ pass: String) throws -> ClassMap? {
      try results.first { $0.name == pass }.map { try slice($0.labels) }
    }
    let (first, final) = (Pass.first.rawValue, Pass.final.rawValue)
    let adapted = (results.contains { $0.name == final } ? final : first) + Adaptation.passSuffix
    return SheetPicker.Candidate(
      scan: scan, dice: results.last.flatMap { dice($0.name) }, z: z, reference: try slice(reference),
      firstPass: try found(first), finalPass: try found(final), adaptedPass: try found(adapted),
      firstNote: note(first), finalNote: note(final), adaptedNote: note(adapted))
  }
}

/// The result of one pass of a case, one row of the evaluation's table.
private struct EvaluationPass {
  let name: String
  /// The folder for its masks; nil if they are not written.
  let folder: String?
  let labels: LabelMap
  /// See `Uncertainty.ofCase`; nil with adapted statistics.
  let uncertainty: Double?
}

extension SegmentationModel {
  /// The passes of the network, then the same passes with other batch statistics, if there are any.
  fileprivate func evaluationPasses(
    of item: PreparedCase, adaptedTo statistics: BatchStatistics?, largestComponent: LargestComponentChoice,
    keepsUncertainty: Bool
  ) throws -> [EvaluationPass] {
    func results(
      _ statistics: BatchStatistics?, suffix: String, _ folder: (Pass) -> String?
    ) throws -> [EvaluationPass] {
      try segment(
        item, passes: Set(self.passes), site: item.source.site, statistics: statistics,
        largestComponent: largestComponent, keepsUncertainty: keepsUncertainty && statistics == nil
      ).map {
        EvaluationPass(
          name: $0.pass.rawValue + suffix, folder: folder($0.pass), labels: $0.labels,
          uncertainty: $0.uncertainty?.ofCase)
      }
    }
    let last = self.passes.last
    let own = try results(nil, suffix: "") { $0 == last ? "predictions" : "first-pass" }
    guard let statistics else { return own }
    return own + (try results(statistics, suffix: Adaptation.passSuffix) { $0 == last ? "predictions-adapted" : nil })
  }
}
