import Basics
import Datasets
import DualNorm
import Experiments
import Foundation
import Scores
import Torch

/// The page of an experiment's folder.
struct ExperimentPage {
  private let contents: ExperimentContents

  init(_ folder: URL) throws { contents = try ExperimentContents(folder) }

  func page() throws -> Page {
    let configuration = contents.configuration
    var page = Page(
      title: "Experiment \(contents.folder.lastTwoNames)",
      lead: "\(configuration.kind.title) of \(listed(configuration.methods.map(\.name), atMost: 10))"
        + "\(configuration.training.data.map { " on \($0)" } ?? "").")
    page.notices = [contents.unfinished].compactMap { $0 } + ExperimentCell.warnings(of: contents.cells)
    page.add("what", "What was compared", overview)
    if let dice = try contents.summary(of: .dice) {
      page.add("dice", "Dice", tables(dice))
      page.add("boxes", "Scores of the cases", try boxes())
      page.add("more", "Other scores", try otherScores())
    }
    if !contents.cells.isEmpty { page.add("cells", "Networks", cells) }
    if let facts = contents.facts {
      page.add("data", "Data", SiteSummary.table(of: facts).html(caption: "What the data check found in each site"))
    }
    page.add("options", "Options", options)
    return page
  }

  private var overview: Markup {
    let configuration = contents.configuration
    var facts: [(name: String, value: Markup)] = []
    func add(_ name: String, _ value: String?) { if let value { facts.append((name, "\(value)")) } }
    add("folder", contents.folder.path)
    add("data set", configuration.training.data)
    add("sites", configuration.sites.map { $0.joined(separator: ", ") } ?? "all")
    add("methods", configuration.methods.map(\.name).joined(separator: ", "))
    add("seeds", configuration.seedValues.map { "\($0)" }.joined(separator: ", "))
    add("iterations", configuration.training.iterations.text)
    add("recipe", configuration.training.recipe.rawValue)
    add("precision", configuration.training.precision?.rawValue)
    add(
      "batch statistics",
      configuration.adaptation == .none ? "those of the training" : "also of the \(configuration.adaptation.rawValue)")
    add(
      "networks finished",
      contents.cells.isEmpty ? nil : "\(contents.cells.count(where: \.isFinished)) of \(contents.cells.count)")
    add("trained by", contents.cells.lazy.compactMap(\.run.version).first.map { "dualnorm \($0)" })
    add("last written", contents.cells.compactMap { lastChange(of: $0.results) }.max())
    return factList(facts) + "<p>The same experiment again:</p>\n" + command(contents.command)
  }

  /// The tables of a paper, with their captions.
  private func tables(_ summary: ExperimentSummary) -> Markup {
    let parts = summary.parts(bestAre: "in bold").map { title, table, caption in
      "<h3>\(title)</h3>\n\(table?.html(caption: title, isShown: false))<p class=\"about\">\(caption)</p>\n" as Markup
    }
    let notes = summary.notes.map { "<li>\($0)</li>\n" as Markup }
    return parts.joined() + (notes.isEmpty ? "" : "<ul>\(notes)</ul>\n")
  }

  private func otherScores() throws -> Markup {
    let others = (contents.results?.metrics ?? []).filter { $0 != .dice && $0.lowerIsBetter != nil }
    return try others.compactMap { metric in
      try contents.summary(of: metric).map { folded($0.title, tables($0)) }
    }.joined()
  }

  /// One chart a site, with one row a method.
  private func boxes() throws -> Markup {
    let about = paragraph(
      "A dot is a case, averaged over its classes and over the seeds; what a method gives in the end (its last pass, "
        + "and that with adapted batch statistics). A number in brackets counts cases without a value.")
    return about + (try [Metric.dice, .assd, .hd95].map(boxes).joined())
  }

  /// Boxes on one scale, so that sites can be compared.
  private func boxes(of metric: Metric) throws -> Markup {
    guard let summary = try contents.summary(of: metric), let results = contents.results else { return "" }
    let arms = Self.last(of: summary.arms.map(\.arm))
    let rows = results.rows.filter { $0.metric == metric }
    let separated = arms.contains { $0.trainSites != nil }
    let values = arms.map { arm in
      CaseValues(
        rows.filter {
          $0.method == arm.method && $0.pass == arm.pass && (!separated || $0.trainSites == arm.trainSites)
        })
    }
    let finite = values.flatMap(\.overSeeds.values).filter(\.isFinite)
    let range = finite.min().flatMap { low in finite.max().map { low...$0 } }
    let charts = summary.testSites.compactMap { site -> Markup? in
      let boxes = zip(arms, values).enumerated().map { color, arm in
        Self.row(arm.0, arm.1, site: site, color: color)
      }
      let name = summary.title(ofSite: site)
      return BoxPlot(
        title: "\(summary.title), \(name)", xTitle: summary.title, groups: [BoxPlot.Group(name: name, rows: boxes)],
        decimals: metric.decimals, range: range
      ).html
    }
    return "<h3>\(summary.title)</h3>\n<div class=\"charts\">\(charts)</div>\n"
  }

  private static func row(_ arm: Arm, _ values: CaseValues, site: String, color: Int) -> BoxPlot.Row {
    let cases = values.cases.filter { $0.site == site }
    let defined = cases.compactMap { key in values.overSeeds[key].map { (name: key.name, value: $0) } }
    let adapted = arm.pass.hasSuffix(Adaptation.passSuffix) ? Adaptation.passSuffix : ""
    let trained = arm.trainSites.map { " on \($0.joined(separator: "+"))" } ?? ""
    return BoxPlot.Row(
      name: arm.method + adapted + trained, color: color, values: defined,
      undefinedCount: cases.count - defined.count)
  }

  /// The last pass of each method, without and with adapted batch statistics.
  private static func last(of arms: [Arm]) -> [Arm] {
    func group(_ arm: Arm) -> [String] {
      [arm.method, ResultTable.joined(arm.trainSites ?? []), String(arm.pass.hasSuffix(Adaptation.passSuffix))]
    }
    return arms.enumerated().filter { index, arm in !arms[(index + 1)...].contains { group($0) == group(arm) } }
      .map(\.element)
  }

  private var cells: Markup {
    let rows = contents.cells.map { cell -> [String] in
      let history = try? TrainingHistory(contentsOf: cell.run.log)
      let best = history?.rows.compactMap(\.meanValidationDice).max().map { fixed($0, decimals: 3) }
      let state = cell.isFinished ? "finished" : history == nil ? "not begun" : "not finished"
      return [
        cell.method.name, cell.setting.name, "\(cell.seed)", state, "\(history?.rows.count ?? 0)", best ?? "–",
        "\(cell.setting.cases.train.count)", "\(cell.setting.cases.test.count)",
      ]
    }
    let table = ReportTable(
      nameCount: 3,
      header: [
        "method", "setting", "seed", "state", "iterations", "best validation Dice", "cases to train", "cases to test",
      ], rows: rows)
    return paragraph("Each is a run folder in cells/METHOD/SETTING/seed-N, of which \(Verb.report) makes a page too.")
      + table.html(caption: "The networks of the experiment")
  }

  private var options: Markup {
    let files = ["experiment.yaml", "training.yaml"].compactMap { name -> Markup? in
      (try? String(contentsOf: contents.folder.appendingPathComponent(name), encoding: .utf8)).map {
        folded(name, "<pre><code>\($0)</code></pre>\n")
      }
    }
    return files.joined()
  }
}

extension ExperimentConfiguration.Kind {
  fileprivate var title: String {
    switch self {
    case .crossValidate: "Cross-validation"
    case .leaveOneSiteOut: "Leaving one site out"
    case .matrix: "Each site against each site, a matrix"
    }
  }
}
