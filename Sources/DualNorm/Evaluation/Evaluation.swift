package import Datasets
package import Foundation
import MedicalImaging
import Pictures
package import Scores

/// The scores of a data set, and the candidates for its picture.
package struct Evaluation {
  /// Scores of both passes of all cases; adapted passes are named `first+adapt` and `final+adapt`.
  package var table: ScoreTable
  /// The uncertainty of each case that has one, by `Case.identifier`; empty unless measured.
  package let uncertainty: [String: Double]
  /// The cases for the picture; empty if no masks are written.
  private let picker: SheetPicker

  fileprivate init(table: ScoreTable, uncertainty: [String: Double], picker: SheetPicker) {
    (self.table, self.uncertainty, self.picker) = (table, uncertainty, picker)
  }

  /// The cases of each site to draw, by the Dice of the last pass.
  package enum Picture {
    case worstMedianAndBest
    /// The median case; for some sites also the worst.
    case median(andWorstOf: Set<String>)
  }

  /// Writes `scores.csv` and `scores.json`, and `sheet.png` unless `picture` is nil or no masks are written.
  ///
  /// The sheet shows each case's slice with the most foreground, with outlines.
  ///
  /// - Throws: `Refusal` if a file cannot be written, `Refusal` for an image that can no longer be read.
  package func write(to output: URL, classNames: [String], picture: Picture? = .worstMedianAndBest) throws {
    try table.write(to: output.appendingPathComponent("scores.csv"))
    try table.write(to: output.appendingPathComponent("scores.json"))
    guard let picture, !picker.isEmpty else { return }
    let rows = try picker.rows(of: table.sites, picture)
    let firstTitle = PassTitles(named: table.passes).heading(of: .first)
    try SliceSheet(rows: rows, classNames: classNames, firstTitle: firstTitle).render()
      .write(to: output.appendingPathComponent("sheet.png"))
  }
}

extension SegmentationModel {
  /// Segments cases in both passes, writes the masks, and scores them.
  ///
  /// - Parameters:
  ///   - cases: cases with masks.
  ///   - sides: each case's side in the model's training, by `Case.identifier`; its scores are marked with it.
  ///   - output: the folder for `predictions/SITE/CASE.nii.gz` (`.png` for pictures). The first pass goes to
  ///     `first-pass`, the last adapted pass to `predictions-adapted`. nil writes no masks and keeps no cases for a
  ///     picture.
  ///   - measuring: called with the number of finished batches and of all, while a site's statistics are computed.
  ///   - progress: called with each case before it is segmented.
  /// - Throws: `Refusal` naming the unusable file.
  package func evaluate(
    _ cases: [Case], sides: [String: TrainingSide] = [:], _ options: EvaluationOptions = EvaluationOptions(),
    writingTo output: URL?, measuring: @escaping (Int, Int) throws -> Void = { _, _ in },
    progress: (Case) throws -> Void
  ) throws -> Evaluation {
    let scheme = options.scoring ?? description.labels
    let adapter = Adapter(self, options.adaptation, cases: cases, excluding: scheme.excluded, progress: measuring)
    var work = CaseEvaluation(
      model: self, adapter: adapter, scheme: scheme,
      scorer: Scorer(scheme: scheme, tolerancesMM: options.tolerancesMM), largestComponent: options.largestComponent,
      keepsUncertainty: options.keepsUncertainty, output: output, far: FarVolumes(description))
    defer { work.far.report() }
    var (scores, picker, failures): ([CaseScore], SheetPicker, [CaseFailure]) = ([], SheetPicker(), [])
    var uncertainty: [String: Double] = [:]
    for scan in cases {
      try progress(scan)
      do {
        let result = try work.result(of: scan, side: sides[scan.identifier])
        scores += result.scores
        uncertainty[scan.identifier] = result.uncertainty
        if let shown = result.shown { picker.add(shown) }
      } catch  where options.skipsFailures && cases.count > 1 && CaseFailure.isOfOneCase(error) {
        failures.append(CaseFailure(scan.identifier, error))
      }
    }
    var table = ScoreTable(
      scores, tolerancesMM: options.tolerancesMM, lengthUnit: LengthUnit(of: cases))
    table.markSites(unseenIn: description.sites)
    table.failures = failures
    return Evaluation(table: table, uncertainty: uncertainty, picker: picker)
  }
}
