import Datasets
import Foundation
import MedicalImaging
import Pictures
import Scores

/// What `dualnorm evaluate` does: segment every case in both passes, keep the masks, and score them.
package struct Evaluation {
  /// Both passes of all cases; adapted ones beside them as the passes `first+adapt` and `final+adapt`.
  package var table: ScoreTable
  /// One row a case, where masks are kept: the slice with the most foreground, outlined.
  let sheetRows: [SheetRow]

  /// - Parameters:
  ///   - cases: with masks.
  ///   - sides: what the cases were to the model's training, by `Case.identifier`; every score gets its case's.
  ///   - scoring: the classes to score, of the model's values; nil: the model's own.
  ///   - adaptation: which batch statistics to score both passes with, beside the model's own.
  ///   - output: gets `predictions/SITE/CASE.nii.gz` (`.png` for pictures), the first pass in `first-pass` and the last
  ///     adapted pass in `predictions-adapted`; nil keeps neither masks nor rows for a picture.
  ///   - goesOn: a case that cannot be used is one of the table's failures, unless there is no other case.
  ///   - largestComponent: which classes keep only their largest connected component.
  ///   - measuring: told the batches done, of how many, while the statistics of a site are taken.
  ///   - progress: told each case before it is segmented.
  /// - Throws: `InputError` or `ImagingError` naming the file that cannot be used.
  package init(
    of model: SegmentationModel, on cases: [Case], sides: [String: TrainingSide] = [:],
    scoring: LabelScheme? = nil, adaptation: Adaptation = .none, writingTo output: URL?, tolerancesMM: [Double],
    largestComponent: LargestComponentChoice = .asInModel, goesOn: Bool = false,
    measuring: @escaping (Int, Int) throws -> Void = { _, _ in }, progress: (Case) throws -> Void
  ) throws {
    let scheme = scoring ?? model.description.labels
    let adapter = Adapter(model, adaptation, cases: cases, excluding: scheme.excluded, progress: measuring)
    var work = CaseEvaluation(
      model: model, adapter: adapter, scheme: scheme, scorer: Scorer(scheme: scheme, tolerancesMM: tolerancesMM),
      largestComponent: largestComponent, output: output, far: FarVolumes(model.description))
    defer { work.far.report() }
    var (scores, rows, failures): ([CaseScore], [SheetRow], [CaseFailure]) = ([], [], [])
    for scan in cases {
      try progress(scan)
      do {
        let result = try work.result(of: scan, side: sides[scan.identifier])
        scores += result.scores
        if let row = result.row { rows.append(row) }
      } catch  where goesOn && cases.count > 1 && CaseFailure.isOfOneCase(error) {
        failures.append(CaseFailure(scan.identifier, error))
      }
    }
    var table = ScoreTable(
      scores, tolerancesMM: tolerancesMM, lengthUnit: LengthUnit(arePictures: cases.map(\.isPicture)))
    table.markSites(unseenIn: model.description.sites)
    table.failures = failures
    self.table = table
    sheetRows = rows
  }

  /// Which cases of a site its picture shows, by the Dice of the last pass.
  package enum Picture {
    case worstMedianAndBest
    /// The median; of some sites the worst too.
    case median(andWorstOf: Set<String>)
  }

  /// Writes `scores.csv`, `scores.json` and, unless `picture` is nil or no masks were kept, `sheet.png`.
  package func write(to output: URL, classNames: [String], picture: Picture? = .worstMedianAndBest) throws {
    try table.write(to: output.appendingPathComponent("scores.csv"))
    try table.write(to: output.appendingPathComponent("scores.json"))
    guard let picture, !sheetRows.isEmpty else { return }
    let chosen = table.sites.flatMap { site -> [SheetRow] in
      picture.chosen(among: sheetRows.filter { $0.title.hasPrefix(site + "/") }, of: site)
    }
    try SliceSheet(rows: chosen, classNames: classNames).render().write(to: output.appendingPathComponent("sheet.png"))
  }
}

extension Evaluation.Picture {
  /// The worst first; cases without a Dice only where no case has one.
  func chosen(among rows: [SheetRow], of site: String) -> [SheetRow] {
    let scored = rows.filter { $0.dice != nil }
    let ranked = (scored.isEmpty ? rows : scored).sorted {
      ($0.dice ?? 0) == ($1.dice ?? 0) ? comesBefore($0.title, $1.title) : ($0.dice ?? 0) < ($1.dice ?? 0)
    }
    let (worst, median, best) = (0, medianPlace(of: ranked.count), ranked.count - 1)
    let places: Set<Int> =
      switch self {
      case .worstMedianAndBest: [worst, median, best]
      case .median(let sites): sites.contains(site) ? [worst, median] : [median]
      }
    return places.sorted().map { ranked[$0] }
  }
}

/// Where the median is among so many ranked cases, the lower of two.
package func medianPlace(of count: Int) -> Int { (count - 1) / 2 }
