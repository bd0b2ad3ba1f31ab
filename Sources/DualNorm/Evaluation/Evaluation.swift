import Datasets
import Foundation
import Pictures
import Scores

/// The scores of a data set, and the cases that its picture may show.
package struct Evaluation {
  /// Both passes of all cases; adapted ones beside them as the passes `first+adapt` and `final+adapt`.
  package var table: ScoreTable
  /// Empty where no masks are kept.
  private let picker: SheetPicker

  fileprivate init(table: ScoreTable, picker: SheetPicker) { (self.table, self.picker) = (table, picker) }

  /// The cases of a site that its picture shows, by the Dice of the last pass.
  package enum Picture {
    case worstMedianAndBest
    /// The median; of some sites the worst too.
    case median(andWorstOf: Set<String>)
  }

  /// Writes `scores.csv`, `scores.json` and, unless `picture` is nil or no masks were kept, `sheet.png`: the slice of a
  /// case with the most foreground, outlined.
  ///
  /// - Throws: `FileError` where a file cannot be written, `ImagingError` for an image that can no longer be read.
  package func write(to output: URL, classNames: [String], picture: Picture? = .worstMedianAndBest) throws {
    try table.write(to: output.appendingPathComponent("scores.csv"))
    try table.write(to: output.appendingPathComponent("scores.json"))
    guard let picture, !picker.isEmpty else { return }
    let rows = try picker.rows(of: table.sites, picture)
    try SliceSheet(rows: rows, classNames: classNames).render().write(to: output.appendingPathComponent("sheet.png"))
  }
}

extension SegmentationModel {
  /// Segments cases in both passes, keeps the masks, and scores them.
  ///
  /// - Parameters:
  ///   - cases: with masks.
  ///   - sides: what the cases were to the model's training, by `Case.identifier`; every score gets its case's.
  ///   - output: gets `predictions/SITE/CASE.nii.gz` (`.png` for pictures), the first pass in `first-pass` and the last
  ///     adapted pass in `predictions-adapted`; nil keeps neither masks nor cases for a picture.
  ///   - measuring: told the batches done, of how many, while the statistics of a site are taken.
  ///   - progress: told each case before it is segmented.
  /// - Throws: `InputError` or `ImagingError` naming the file that cannot be used.
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
      output: output, far: FarVolumes(description))
    defer { work.far.report() }
    var (scores, picker, failures): ([CaseScore], SheetPicker, [CaseFailure]) = ([], SheetPicker(), [])
    for scan in cases {
      try progress(scan)
      do {
        let result = try work.result(of: scan, side: sides[scan.identifier])
        scores += result.scores
        if let shown = result.shown { picker.add(shown) }
      } catch  where options.skipsFailures && cases.count > 1 && CaseFailure.isOfOneCase(error) {
        failures.append(CaseFailure(scan.identifier, error))
      }
    }
    var table = ScoreTable(
      scores, tolerancesMM: options.tolerancesMM, lengthUnit: LengthUnit(arePictures: cases.map(\.isPicture)))
    table.markSites(unseenIn: description.sites)
    table.failures = failures
    return Evaluation(table: table, picker: picker)
  }
}
