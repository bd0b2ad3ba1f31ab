import Basics
import Foundation
package import MedicalImaging

extension ScoreTable {
  /// Reads and scores pairs of files, one pair in memory at a time.
  ///
  /// - Parameters:
  ///   - labels: the file values to score; nil for all that occur, which reads every file twice.
  ///   - merging: groups of file values that are one class each.
  ///   - excluding: file values that are not scored.
  ///   - labelNames: names of file values; others are `label 3`.
  ///   - progress: called before each pair is read, with the number of pairs done and their total.
  /// - Throws: `Refusal` for a file that cannot be read, or for a pair on different grids, labels that
  ///   cannot be merged, or no label at all.
  package init(
    scoring pairs: [ScorePair], labels: [LabelValue]? = nil, merging: [[LabelValue]] = [],
    excluding: [LabelValue] = [], labelNames: [LabelValue: String] = [:],
    tolerancesMM: [Double] = Scorer.defaultTolerancesMM, pass: String = "prediction",
    convention: Convention = .dualnorm, progress: (_ done: Int, _ total: Int, ScorePair) -> Void = { _, _, _ in }
  ) throws {
    let total = labels == nil ? 2 * pairs.count : pairs.count
    var occurs = [Bool](repeating: false, count: Int(LabelValue.max) + 1)
    for value in labels ?? [] { occurs[Int(value)] = true }
    if labels == nil {
      for (index, pair) in pairs.enumerated() {
        progress(index, total, pair)
        let (prediction, reference) = try pair.read()
        for value in reference.voxels { occurs[Int(value)] = true }
        for value in prediction?.voxels ?? [] { occurs[Int(value)] = true }
      }
    }
    let values = Set((1...LabelValue.max).filter { occurs[Int($0)] }).union(merging.joined()).union(excluding)
    guard !values.isEmpty else {
      throw Refusal(
        .input,
        "Neither the references nor the predictions hold a label but 0 (background), so there is nothing to score",
        remedy: "check the files, or name the labels with \(Setting.labels)")
    }
    let scheme = try LabelScheme(
      values: values, labelNames: LabelScheme.names(of: values, labelNames), merge: merging, exclude: excluding)
    let scorer = Scorer(scheme: scheme, tolerancesMM: tolerancesMM, convention: convention)
    var scores: [CaseScore] = []
    for (index, pair) in pairs.enumerated() {
      progress(total - pairs.count + index, total, pair)
      let (prediction, reference) = try pair.read()
      scores += scorer.scores(
        prediction: prediction, reference: reference, site: pair.site, caseName: pair.caseName, pass: pass)
    }
    self.init(
      scores, tolerancesMM: tolerancesMM, convention: convention,
      lengthUnit: LengthUnit(arePictures: pairs.map { isPicture($0.reference) }))
  }
}

extension ScorePair {
  fileprivate func read() throws -> (prediction: LabelMap?, reference: LabelMap) {
    let reference = try LabelMap(contentsOf: reference)
    guard let file = prediction else { return (nil, reference) }
    let prediction = try LabelMap(contentsOf: file)
    if let difference = prediction.geometry.mismatch(with: reference.geometry) {
      throw Refusal(
        .input, "\(file.path) and \(self.reference.path) do not lie on the same grid: \(difference)",
        remedy: "a prediction must be on its reference's grid")
    }
    return (prediction, reference)
  }
}
