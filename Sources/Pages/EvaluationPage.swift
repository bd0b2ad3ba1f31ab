import Basics
import Datasets
import DualNorm
import Foundation
import MedicalImaging
import Scores

/// The page of an evaluation's folder.
struct EvaluationPage {
  private let folder: URL
  private let record: EvaluationRecord?
  /// nil if the evaluation was stopped before writing scores.
  private let scores: CaseScores?
  private let model: EvaluatedModel
  private let images: ReportImages

  /// - Parameters:
  ///   - data: replaces the recorded path of the data.
  ///   - modelFolder: replaces the recorded path of the run.
  init(_ folder: URL, data: String?, modelFolder: String?) throws {
    self.folder = folder
    record = try EvaluationRecord(contentsOf: folder)
    model = try EvaluatedModel(given: modelFolder, record: record, beside: folder)
    var table = try Self.scores(in: folder)
    if let description = model.contents?.description { table?.markSites(unseenIn: description.sites) }
    var scores = table.map { CaseScores($0.namingOnlyPass) }
    scores?.uncertainty = record?.uncertainty ?? [:]
    self.scores = scores
    images = try ReportImages(
      given: data, recorded: record?.data ?? model.contents?.configuration?.data,
      modalityCount: model.contents?.description?.modalities.count ?? 1)
  }

  private static func scores(in folder: URL) throws -> ScoreTable? {
    let file = folder.appendingPathComponent("scores.json")
    guard FileManager.default.fileExists(atPath: file.path) else { return nil }
    let decoder = JSONDecoder()
    decoder.nonConformingFloatDecodingStrategy = .convertFromString(
      positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
    do {
      return try decoder.decode(ScoreTable.self, from: Data(contentsOf: file))
    } catch {
      let brief = (error as? DecodingError)?.brief ?? "it cannot be read"
      throw Refusal(
        .input, file.path, "is not a table of scores (\(brief))", remedy: "restore the file, or evaluate again")
    }
  }

  func page() throws -> Page {
    let data = record.map { " on \($0.data)" } ?? ""
    var page = Page(
      title: "Evaluation \(folder.lastTwoNames)",
      lead: "Scores of \(members ?? model.path.map { "the model \($0)" } ?? "a model")\(data).")
    page.notices += [unfinished, model.absence, model.contents.flatMap { $0.isFinished ? nil : $0.unfinished }]
      .compactMap { $0 }
    page.notices += record?.warnings ?? []
    page.notices += failures
    page.add("what", "What was evaluated", overview)
    if let scores {
      page.add("scores", "Scores", ScoreSection(scores: scores).table)
      page.add("boxes", "Scores of the cases", ScoreSection(scores: scores).boxes)
      let section = CaseSection(
        folder: folder, scores: scores, labels: record?.labels ?? model.contents?.description?.labels, images: images)
      let cases = try section.content()
      page.add("cases", "Worst, median and best cases", cases.html)
      page.add("maps", "What the dual layers do", try maps(cases.worst))
    }
    if let contents = model.contents {
      page.add("training", "What was trained", contents.overview)
      RunPage.addTraining(contents, to: &page)
      if contents.configuration != nil { page.add("options", "Options of the training", contents.options) }
    }
    return page
  }

  private var members: String? { record?.members.map { "an ensemble of \($0.count) networks" } }

  /// Sentences on why cases have no scores.
  private var failures: [String] {
    let all = record?.failures ?? []
    let shown = all.prefix(10).map { "\($0.caseName) has no scores: \($0.reason)" }
    return shown + (all.count > 10 ? ["\(all.count - 10) more cases have none; evaluation.json says why."] : [])
  }

  private var unfinished: String? {
    guard scores == nil, record?.failures?.isEmpty ?? true else { return nil }
    let done =
      (FileManager.default.enumerator(atPath: folder.appendingPathComponent("predictions").path)?.allObjects ?? [])
      .count { ($0 as? String).map { volumeStem(URL(fileURLWithPath: $0)) != nil } ?? false }
    return
      "The evaluation is not finished: there are no scores, and masks of \(done) of \(record?.cases.count ?? 0) cases. "
      + "Evaluate again into a new folder."
  }

  private var overview: Markup {
    var facts: [(name: String, value: Markup)] = []
    func add(_ name: String, _ value: String?) { if let value { facts.append((name, "\(value)")) } }
    add("evaluation", folder.path)
    add("model", model.path)
    add("members of the ensemble", record?.members.map { listed($0, atMost: 20) })
    if record?.mirror == true { add("mirror images", "averaged with the images") }
    add("data set", record?.data)
    add("cases", scores.map { "\($0.keys.count)" } ?? record.map { "\($0.cases.count)" })
    add("sites the model has not seen", scores.flatMap { unseenSites($0.table) })
    add("side of the split", record?.split)
    add(
      "classes",
      record.map { RunContents.classes($0.labels) } ?? scores.map { listed($0.table.classes.map(\.name), atMost: 20) })
    add(
      "batch statistics",
      record.map { $0.adaptation == "none" ? "those of the training" : "also of the \($0.adaptation)" })
    add("mask of the final pass", record?.maskSource?.rawValue)
    add("largest component only", record.map(\.largestComponentText))
    add("uncertainty and Dice", scores.flatMap { $0.table.correlation(with: $0.uncertainty) })
    add("evaluated by", record.map { "dualnorm \($0.version)" })
    add(
      "last written",
      lastChange(of: folder.appendingPathComponent(scores == nil ? EvaluationRecord.fileName : "scores.json")))
    let again: Markup =
      record.map { "<p>The same evaluation again:</p>\n" + command($0.command(output: "AGAIN")) } ?? ""
    return (scores.map { ScoreSection(scores: $0).keyNumbers } ?? "") + factList(facts) + again
  }

  private func unseenSites(_ table: ScoreTable) -> String? {
    table.unseenSites.isEmpty ? nil : listed(table.unseenSites, atMost: 20)
  }

  /// The dual maps of the worst case, in the slice that differs most from the truth.
  private func maps(_ worst: (scan: Case, slice: Int)?) throws -> Markup {
    guard let contents = model.contents else {
      return paragraph(
        "Without the model there is nothing to show here; say where its run folder is with "
          + "\(Setting.model).")
    }
    guard contents.isFinished else {
      return paragraph("The model's training is not finished, so there is nothing to show here.")
    }
    // This section needs no masks, so cases whose masks were not kept will do.
    let ranked = scores.map { scores in scores.table.sites.flatMap(scores.extremes).sorted { $0.dice < $1.dice } }
    let scan = worst?.scan ?? ranked?.lazy.compactMap { images.cases[$0.key.identifier] }.first
    guard let scan else {
      return paragraph(images.absence ?? "The data set has none of the cases, so there is nothing to show here.")
    }
    let model = try SegmentationModel(
      contentsOf: contents.run, maskSource: record?.maskSource, precision: record?.precision)
    let note: Markup =
      record?.members == nil ? "" : paragraph("These are of the ensemble's first member, \(contents.run.url.path).")
    return try note + DualMapSection.html(model, scan: scan, slice: worst?.slice)
  }
}

extension EvaluationRecord {
  fileprivate var largestComponentText: String {
    guard let names = largestComponentClasses else {
      return largestComponent == .ofNone ? "of no class" : "of all classes"
    }
    return names.isEmpty ? "of no class" : "of " + listed(names, atMost: 20)
  }
}
