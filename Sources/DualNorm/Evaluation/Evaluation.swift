import Foundation
import MedicalImaging
import Torch

/// What `dualnorm evaluate` does: segment every case in both passes, keep the masks, and score them.
public struct Evaluation {
  /// Both passes of all cases; adapted ones beside them as the passes `first+adapt` and `final+adapt`.
  public let table: ScoreTable
  /// One row a case, where masks are kept: the slice with the most foreground, outlined.
  public let sheetRows: [SheetRow]
  /// Cases larger than the network's size: their border is background.
  public let croppedCases: [String]

  /// - Parameters:
  ///   - cases: with masks.
  ///   - scoring: the classes to score, of the model's values; nil: the model's own.
  ///   - adaptation: which batch statistics to score both passes with, beside the model's own.
  ///   - output: gets `predictions/SITE/CASE.nii.gz` (`.png` for pictures), the first pass in `first-pass` and the last
  ///     adapted pass in `predictions-adapted`; nil keeps neither masks nor rows for a picture.
  ///   - measuring: told the batches done, of how many, while the statistics of a site are taken.
  ///   - progress: told each case before it is segmented.
  /// - Throws: `InputError` or `ImagingError` naming the file that cannot be used.
  public init(
    of model: SegmentationModel, on cases: [Case], scoring: LabelScheme? = nil, adaptation: Adaptation = .none,
    writingTo output: URL?, tolerancesMM: [Double], largestComponent: Bool,
    measuring: @escaping (Int, Int) throws -> Void = { _, _ in }, progress: (Case) throws -> Void
  ) throws {
    let scheme = scoring ?? model.description.labels
    let scorer = Scorer(scheme: scheme, tolerancesMM: tolerancesMM)
    let adapter = Adapter(model, adaptation, cases: cases, excluding: scheme.excluded, progress: measuring)
    var scores: [CaseScore] = []
    var rows: [SheetRow] = []
    var cropped: [String] = []
    for scan in cases {
      try progress(scan)
      let reference = try Self.reference(of: scan, scheme)
      let item = try model.prepared(scan, excluding: scheme.excluded)
      if let difference = item.volume.grid.storedGeometry.mismatch(with: reference.geometry) {
        throw InputError(
          "\(scan.mask!.path): does not lie on the voxels of its image \(scan.images[0].path): \(difference); resample the "
            + "mask onto the image or correct the wrong header.")
      }
      if item.volume.grid.isCropped { cropped.append(scan.identifier) }
      let statistics = try adapter.statistics(for: item, site: scan.site)
      let results = model.evaluationPasses(of: item, adaptedTo: statistics, largestComponent: largestComponent)
      for result in results {
        if let output, let folder = result.folder {
          try result.labels.write(
            to: output.appendingPathComponent("\(folder)/\(scan.site)/\(scan.name)\(scan.maskEnding)"))
        }
        scores += scorer.scores(
          prediction: result.labels, reference: reference, site: scan.site, caseName: scan.name, pass: result.name,
          isPicture: scan.isPicture)
      }
      if output != nil { rows.append(try Self.sheetRow(of: scan, reference, results, scores, scheme: scheme)) }
    }
    var table = ScoreTable(
      scores, tolerancesMM: tolerancesMM, lengthUnit: LengthUnit(arePictures: cases.map(\.isPicture)))
    table.markSites(unseenBy: model.description)
    self.table = table
    sheetRows = rows
    croppedCases = cropped
  }

  private static func reference(of scan: Case, _ scheme: LabelScheme) throws -> LabelMap {
    guard let mask = scan.mask else { throw InputError("\(scan.images[0].path): has no mask to be scored against.") }
    let reference = try LabelMap(contentsOf: mask)
    _ = try scheme.classes(of: reference, file: mask.path)
    return reference
  }

  private static func sheetRow(
    of scan: Case, _ reference: LabelMap, _ results: [EvaluationPass], _ scores: [CaseScore], scheme: LabelScheme
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

  /// Which cases of a site its picture shows, by the Dice of the last pass.
  public enum Picture {
    case worstMedianAndBest
    /// The median; of some sites the worst too.
    case median(andWorstOf: Set<String>)
  }

  /// Writes `scores.csv`, `scores.json` and, unless `picture` is nil or no masks were kept, `sheet.png`.
  public func write(to output: URL, classNames: [String], picture: Picture? = .worstMedianAndBest) throws {
    try table.write(to: output.appendingPathComponent("scores.csv"))
    try table.write(to: output.appendingPathComponent("scores.json"))
    guard let picture, !sheetRows.isEmpty else { return }
    let chosen = table.sites.flatMap { site -> [SheetRow] in
      picture.chosen(among: sheetRows.filter { $0.title.hasPrefix(site + "/") }, of: site)
    }
    try SliceSheet(rows: chosen, classNames: classNames).render().write(to: output.appendingPathComponent("sheet.png"))
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
    of item: PreparedCase, adaptedTo statistics: BatchStatistics?, largestComponent: Bool
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
func medianPlace(of count: Int) -> Int { (count - 1) / 2 }
