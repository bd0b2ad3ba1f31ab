import Basics
import Datasets
import Foundation

/// The page of a data check: the contents of a `DataReport`, to be inspected before training.
struct CheckPage {
  let report: DataReport
  /// The words of the command that repeats the check.
  let command: [String]

  /// - Throws: `Refusal` naming an image that can no longer be read.
  func page() throws -> Page {
    let count = counted(report.cases.count + report.unreadCases, "case")
    var page = Page(
      title: "Data check of \(URL(fileURLWithPath: report.folder).lastTwoNames)",
      lead: "\(count) of \(counted(report.sites.count, "site")). \(report.verdict)")
    page.notices = [unread].compactMap { $0 }
    page.add("verdict", "Verdict", verdict)
    page.add("findings", "Findings", FindingList(findings: report.findings).html)
    if let repair = report.repair { page.add("repair", "What was repaired", repaired(repair)) }
    guard !report.sites.isEmpty else { return page }
    let tables = CheckTables(report: report)
    page.add("sites", "Sites", tables.sites)
    page.add("intensities", "Intensities", IntensitySection(report: report).html)
    page.add("volumes", "Label volumes", VolumeSection(report: report).html)
    page.add("samples", "Typical and odd cases", try SampleSection(report: report).html())
    page.add("cases", "Cases", tables.cases)
    return page
  }

  private var unread: String? {
    guard report.unreadCases > 0 else { return nil }
    let verb = report.unreadCases == 1 ? "is" : "are"
    let why = report.findings.contains { $0.rule == .exchanged } ? "" : "could not be read and "
    return "\(counted(report.unreadCases, "case")) \(why)\(verb) in the findings only."
  }

  private var verdict: Markup {
    func tile(_ severity: DataCheck.Severity) -> Markup {
      let count = report.count(severity)
      return """
        <li\(count > 0 ? " class=\"\(severity.rawValue)\"" as Markup : "")><b>\(count)</b>\
        <span>\(severity.rawValue)\(count == 1 ? "" : "s"): \(severity.meaning)</span></li>
        """
    }
    let first: Markup =
      report.isSound
      ? "<li><b>Sound</b><span>no errors: train takes these data</span></li>"
      : "<li class=\"error\"><b>Not sound</b><span>train refuses these data</span></li>"
    let tiles = [first] + [.error, .warning, .note].map(tile)
    return """
      <ul class="key" aria-label="Verdict">\(tiles)</ul>
      \(factList(facts))<p>The same check again:</p>
      \(Pages.command(command))
      """
  }

  private var facts: [(name: String, value: Markup)] {
    let sites = report.sites
    func sum(_ value: (DataReport.Site) -> Int) -> Int { sites.reduce(0) { $0 + value($1) } }
    let labels = report.labels.map(\.title)
    let channels = sites.flatMap { $0.channels.map(\.name) }.firstOccurrences
    return [
      ("data set", "\(report.folder)"),
      ("layout", "\(report.layout.title)"),
      ("sites", sites.isEmpty ? "none" : "\(listed(sites.map(\.name), atMost: 20))"),
      ("patients", "\(sum(\.patients))"),
      ("masks", "\(sum(\.masks)), \(sum(\.emptyMasks)) empty"),
      ("labels", labels.isEmpty ? "none" : "\(listed(labels, atMost: 20))"),
      ("channels", channels.isEmpty ? "none" : "\(listed(channels, atMost: 20))"),
    ]
  }

  private func repaired(_ repair: DataRepair.Summary) -> Markup {
    guard !repair.changes.isEmpty else {
      return paragraph("\(repair.folder): a plain copy, since nothing was found that a copy can repair.")
    }
    let rows = repair.changes.map { [$0.identifier, $0.message] }
    let table = ReportTable(nameCount: 2, header: ["case", "what"], rows: rows)
    return paragraph("\(repair.folder): a repaired copy. The findings above are of the data set as it was.")
      + table.html(caption: "Changes in the repaired copy", isShown: false)
  }
}

extension DataReport {
  /// The labels of all sites, by value.
  var labels: [Label] {
    let all = sites.flatMap(\.labels).sorted { $0.value < $1.value }
    return all.map(\.value).firstOccurrences.map { value in all.first { $0.value == value }! }
  }

  /// Names of the cases' channels; numbers if no site has a name for each.
  var channelNames: [String] {
    let count = cases.map(\.percentiles.count).max() ?? 0
    let names = sites.lazy.map { $0.channels.map(\.name) }.first { $0.count == count }
    return names ?? (0..<count).map { "channel \($0 + 1)" }
  }

  /// The cases of a site, whose identifiers begin with its name.
  func cases(of site: Site) -> [Entry] { cases.filter { $0.identifier.hasPrefix("\(site.name)/") } }
}

extension DataReport.Entry {
  /// The name without the site.
  var name: String { identifier.split(separator: "/", maxSplits: 1).last.map(String.init) ?? identifier }
}

extension DataCheck.Severity {
  fileprivate var meaning: String {
    switch self {
    case .error: "training would fail or be wrong"
    case .warning: "odd, look at it"
    case .note: "worth knowing"
    }
  }
}

extension Dataset.Layout {
  fileprivate var title: String {
    switch self {
    case .sites: "a folder a site"
    case .description: "dataset.json, imagesTr and labelsTr"
    case .flat: "one folder"
    }
  }
}
