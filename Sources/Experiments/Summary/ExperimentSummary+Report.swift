package import Basics
package import Foundation
import Scores

extension ExperimentSummary {
  /// Tables and captions for a paper.
  var markdown: String {
    let tables = parts(bestAre: "in bold").map { title, table, caption in
      "**\(title).** \(caption)\n" + (table.map { "\n" + $0.markdown } ?? "")
    }.joined(separator: "\n")
    return printableLines(tables + (notes.isEmpty ? "" : "\n" + notes.map { "- \($0)\n" }.joined()))
  }

  /// Tables and captions for the terminal.
  package var text: String {
    let tables = parts(bestAre: "with a star").map { title, table, caption in
      title + "\n" + (table?.text ?? "") + caption + "\n"
    }.joined(separator: "\n")
    return printableLines(tables + (notes.isEmpty ? "" : "\n" + notes.map { $0 + "\n" }.joined()))
  }

  /// Writes `markdown`, `text` or all numbers as JSON, by the file's extension.
  ///
  /// - Throws: `Refusal` for another extension, or if the file cannot be written.
  package func write(to url: URL) throws {
    switch url.pathExtension.lowercased() {
    case "md": try writeAtomically(Data(markdown.utf8), to: url)
    case "txt": try writeAtomically(Data(text.utf8), to: url)
    case "json":
      let encoder = JSONEncoder()
      encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
      try writeAtomically(encoder.encode(self) + Data("\n".utf8), to: url)
    default:
      throw Refusal(
        .input, url.path, "a summary is written as .md, .txt or .json", remedy: "give the file one of these endings")
    }
  }

  /// The site's name, marked if unseen: `Site-D (unseen)`.
  package func title(ofSite site: String) -> String { site + (unseenSites.contains(site) ? " (unseen)" : "") }

  /// The metric's title.
  package var title: String { metric.title(in: lengthUnit) }

  /// The tables with their titles and captions.
  package func parts(bestAre mark: String) -> [(title: String, table: ReportTable?, caption: String)] {
    var parts: [(String, ReportTable?, String)] = []
    parts.append(("\(title) by test site", scoreTable, scoreCaption(bestAre: mark)))
    parts.append(("Misses and false alarms", outcomeTable, outcomeCaption))
    if let comparisonTable { parts.append(("Comparison with \(baseline)", comparisonTable, comparisonCaption)) }
    return parts
  }

  private func scoreCaption(bestAre mark: String) -> String {
    let manySites = testSites.count > 1
    return "Mean ± standard deviation over cases, each case averaged over its classes and over seeds first"
      + (manySites ? "; mean of sites: ± over the sites' means; worst site: each row's own" : "")
      + (arms.contains { $0.arm.trainSites != nil } ? "; a row has not seen the sites that it was not trained on" : "")
      + ". sd between seeds: of the seeds' means\(manySites ? " of sites" : ""). Best means \(mark) ("
      + (metric.lowerIsBetter == true ? "lower" : "higher")
      + " is better). \(title): \(metric.dualNormDefinition). "
      + "\(counted(caseCounts.values.reduce(0, +), "case")) of \(counted(testSites.count, "site")); "
      + "\(counted(seeds.count, "seed")) (\(listed(seeds.map(String.init), atMost: 10))); "
      + "\(passes.count == 1 ? "pass" : "passes"): \(listed(passes, atMost: passes.count))."
  }

  private var outcomeCaption: String {
    outcomeTable == nil
      ? "None."
      : "Structures are classes of cases, counted once a seed (and once a fold, where several networks of a seed saw the "
        + "case). Missed: only the reference has it; false alarm: only the prediction has it."
  }

  private var comparisonCaption: String {
    let resamples = comparisons.compactMap(\.interval?.resamples).first
    return
      "Mean of method − \(baseline) over n cases, paired by case, each averaged over its classes and over seeds first; "
      + "\(metric.lowerIsBetter == true ? "below" : "above") zero the method is better. Not paired: cases without a value "
      + "in one of the two. "
      + (resamples.map {
        "95 % interval: percentiles of \($0) bootstrap means, cases resampled within their sites. "
      } ?? "")
      + "p: Wilcoxon signed-rank test, two-sided; Holm's correction over "
      + "\(counted(comparisons.count { $0.adjustedP != nil }, "comparison"))."
  }

  /// Notes on differences between rows that limit comparisons.
  package var notes: [String] {
    let total = caseCounts.values.reduce(0, +)
    var notes = arms.flatMap { arm -> [String] in
      let title = title(of: arm.arm)
      var notes: [String] = []
      let missing = seeds.filter { !arm.seeds.contains($0) }.map(String.init)
      if !missing.isEmpty { notes.append("\(title) has no results of seed \(listed(missing, atMost: 10)).") }
      if !arm.incompleteSeeds.isEmpty {
        let incomplete = listed(arm.incompleteSeeds.map(String.init), atMost: 10)
        notes.append(
          "\(title): seed \(incomplete) was not tested on all cases, and is not in the sd between seeds where cases lack."
        )
      }
      if arm.caseCount < total { notes.append("\(title) was scored on \(arm.caseCount) of \(total) cases.") }
      if !arm.isOfAllSites(testSites), testSites.count > 1 {
        let count = arm.meanOfSites.overCases.count
        notes.append("\(title): mean of \(count) of \(testSites.count) sites, never marked as best.")
      }
      let valued = arm.allCases.overCases.count
      if valued < arm.caseCount {
        notes.append("\(title): \(self.title) is undefined in \(arm.caseCount - valued) of \(arm.caseCount) cases.")
      }
      return notes
    }
    let exact = comparisons.compactMap(\.wilcoxon).filter { $0.method == .exact }
    for count in Set(exact.map(\.count)).sorted() where count < 6 {
      notes.append(
        "With \(counted(count, "difference")) other than zero, p cannot be below "
          + "\(shortest(WilcoxonTest.smallestP(count: count))).")
    }
    return notes + remarks
  }
}

extension Metric {
  /// The formula in words, as `dualnorm evaluate` measures it.
  fileprivate var dualNormDefinition: String {
    var tolerances: [Double] = []
    if case .nsd(let tolerance) = self { tolerances = [tolerance] }
    let columns = Convention.dualnorm.rules.columns(tolerancesMM: tolerances)
    return columns.first { $0.metric == self }?.definition ?? rawValue
  }
}
