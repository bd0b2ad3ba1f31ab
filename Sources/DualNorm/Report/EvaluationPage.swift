import Foundation

/// The page of an evaluation's folder.
struct EvaluationPage {
  private let folder: URL
  private let record: EvaluationRecord?
  /// nil where the evaluation was stopped before it.
  private let scores: CaseScores?
  private let model: EvaluatedModel
  private let images: ReportImages

  /// - Parameters:
  ///   - data: takes the place of the recorded path.
  ///   - modelFolder: likewise, of the run.
  init(_ folder: URL, data: String?, modelFolder: String?) throws {
    self.folder = folder
    record = try EvaluationRecord(contentsOf: folder)
    scores = try Self.scores(in: folder).map(CaseScores.init)
    model = try EvaluatedModel(given: modelFolder, record: record, beside: folder)
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
      throw InputError("\(file.path): is not a table of scores (\(brief)); restore the file, or evaluate again.")
    }
  }

  func page() throws -> Page {
    let data = record.map { " on \($0.data)" } ?? ""
    var page = Page(
      title: "Evaluation \(folder.lastTwoNames)",
      lead: "Scores of \(model.path.map { "the model \($0)" } ?? "a model")\(data).")
    page.notices += [unfinished, model.absence, model.contents.flatMap { $0.isFinished ? nil : $0.unfinished }]
      .compactMap { $0 }
    page.add("what", "What was evaluated", overview)
    if let scores {
      page.add("scores", "Scores", table(scores))
      page.add("boxes", "Scores of the cases", boxes(scores))
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

  private var unfinished: String? {
    guard scores == nil else { return nil }
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
    add("data set", record?.data)
    add("cases", scores.map { "\($0.keys.count)" } ?? record.map { "\($0.cases.count)" })
    add("side of the split", record?.split)
    add(
      "classes",
      record.map { RunContents.classes($0.labels) } ?? scores.map { listed($0.table.classes.map(\.name), atMost: 20) })
    add(
      "batch statistics",
      record.map { $0.adaptation == "none" ? "those of the training" : "also of the \($0.adaptation)" })
    add("mask of the final pass", record?.maskSource?.rawValue)
    add("largest component only", record.map { $0.largestComponent ? "yes" : "no" })
    add("evaluated by", record.map { "dualnorm \($0.version)" })
    add(
      "last written",
      lastChange(of: folder.appendingPathComponent(scores == nil ? EvaluationRecord.fileName : "scores.json")))
    let again: Markup =
      record.map { "<p>The same evaluation again:</p>\n" + command($0.command(output: "AGAIN")) } ?? ""
    return (scores.map(keyNumbers) ?? "") + factList(facts) + again
  }

  private func keyNumbers(_ scores: CaseScores) -> Markup {
    let summaries = scores.table.summaries.filter {
      $0.pass == scores.lastPass && ($0.classIndex == nil || scores.table.classes.count == 1)
    }
    let sites = summaries.filter { $0.scope == .site }
    let overall = summaries.first { $0.scope == .meanOfSites } ?? sites.first
    let means = sites.compactMap { site in site.statistics[.dice]?.mean.map { (site: site.site ?? "", mean: $0) } }
    func text(_ value: Double?) -> String { value.map { fixed($0, decimals: 3) } ?? "–" }
    let worst = means.min { $0.mean < $1.mean }
    var numbers: [(String, String)] = [
      (
        text(overall?.statistics[.dice]?.mean),
        "Dice of the \(scores.lastPass) pass" + (sites.count > 1 ? ", mean of \(sites.count) sites" : "")
      )
    ]
    if sites.count > 1, let worst { numbers.append((text(worst.mean), "of the worst site, \(worst.site)")) }
    numbers.append(("\(sites.reduce(0) { $0 + $1.count(.miss) })", "structures missed"))
    numbers.append(("\(sites.reduce(0) { $0 + $1.count(.falseAlarm) })", "falsely found"))
    let items = numbers.map { "<li><b>\($0.0)</b><span>\($0.1)</span></li>" as Markup }
    return "<ul class=\"key\" aria-label=\"Scores of the \(scores.lastPass) pass\">\(items)</ul>\n"
  }

  private func table(_ scores: CaseScores) -> Markup {
    let rules = scores.table.convention.rules
    let definitions = rules.columns(tolerancesMM: scores.table.tolerancesMM).map { column in
      (name: column.metric.title, value: "\(column.definition)" as Markup)
    }
    let outcomes = Outcome.allCases.compactMap { outcome in
      rules.outcomes[outcome].map { (name: outcome.title, value: "\($0)" as Markup) }
    }
    let table = scores.table
    let hasClasses = table.classes.count > 1
    // Passes side by side, so that they can be compared.
    let means = table.summaries.filter { $0.classIndex == nil || !hasClasses }
    let bySite = means.map { [$0.scope.rawValue, $0.site ?? ""] }.firstOccurrences.flatMap { place in
      means.filter { [$0.scope.rawValue, $0.site ?? ""] == place }
    }
    let all: Markup? =
      hasClasses ? folded("Each class alone", table.summaryTable.html(caption: "Scores by pass, site and class")) : nil
    return table.table(of: bySite).withScoresFirst.html(
      caption: "Scores by site and pass\(hasClasses ? ", mean of the classes" : ""), as \(rules.tool) defines them")
      + table.notes.map(paragraph).joined() + (all ?? "")
      + folded("How the scores are defined", factList(definitions + outcomes))
      + folded("Dice of every case", scores.caseTable.html(caption: "Dice of every case"))
  }

  private func boxes(_ scores: CaseScores) -> Markup {
    let metrics = [Metric.dice, .assd, .hd95].filter(scores.table.metrics.contains)
    let means = metrics.compactMap { scores.boxes(of: $0) }
    let ofClasses = metrics.flatMap { metric in
      scores.table.classes.compactMap { scores.boxes(of: metric, classIndex: $0.index, className: $0.name) }
    }
    let about = paragraph(
      "A dot is a case; the box holds the middle half of the cases, with a line at the median and a diamond at the mean; "
        + "whiskers reach the last case within 1.5 box lengths. A number in brackets counts cases without a value: "
        + "surface distances exist only where both masks have the structure.")
    let folds =
      scores.table.classes.count > 1 ? folded("Each class alone", "<div class=\"charts\">\(ofClasses)</div>\n") : nil
    return "\(about)<div class=\"charts\">\(means)</div>\n\(folds)"
  }

  /// Of the worst case, where it differs most from the truth.
  private func maps(_ worst: (scan: Case, slice: Int)?) throws -> Markup {
    guard let contents = model.contents, contents.isFinished else {
      return paragraph("Without the model there is nothing to show here; say where its run folder is with --model.")
    }
    guard let worst else {
      return paragraph(images.absence ?? "No case has its image, so there is nothing to show here.")
    }
    let model = try SegmentationModel(
      contentsOf: contents.run, maskSource: record?.maskSource, precision: record?.precision)
    return try DualMapSection(model, scan: worst.scan, slice: worst.slice).html()
  }
}

extension Outcome {
  fileprivate var title: String {
    switch self {
    case .found: "found"
    case .miss: "missed"
    case .falseAlarm: "falsely found"
    case .bothEmpty: "both empty"
    }
  }
}

extension ReportTable {
  /// The scores before the counts, and no column of classes that says the same in every row: narrow screens show the left.
  fileprivate var withScoresFirst: ReportTable {
    let counts = ["n", "found", "missed", "false", "empty"].compactMap(header.firstIndex)
    let isSame = Set(rows.map { $0[1] }).count == 1
    let kept = header.indices.filter { !counts.contains($0) && !(isSame && $0 == 1) }
    func ordered(_ cells: [String]) -> [String] { (kept + counts).map { cells[$0] } }
    return ReportTable(nameCount: nameCount - (isSame ? 1 : 0), header: ordered(header), rows: rows.map(ordered))
  }
}
