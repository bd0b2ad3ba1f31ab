import Basics
import Datasets
import Foundation
import MedicalImaging
import Pictures
import Scores

/// The worst, median and best case of each site with their slices.
struct CaseSection {
  let folder: URL
  let scores: CaseScores
  /// nil if the classes of the masks' labels are unknown.
  let labels: LabelScheme?
  let images: ReportImages

  /// The most cases on a page; more would be too long to scroll.
  private static let mostCases = 30

  struct Content {
    let html: Markup
    /// The worst case shown and its slice with the most disagreement.
    let worst: (scan: Case, slice: Int)?
  }

  func content() throws -> Content {
    guard let labels else {
      return Content(
        html: paragraph("Without the model nothing says which value of a mask is which class; give \(Setting.model)."),
        worst: nil)
    }
    if let absence = images.absence { return Content(html: paragraph(absence), worst: nil) }
    let chosen = self.chosen
    var content: Markup = ""
    var worst: (scan: Case, slice: Int, dice: Double)?
    for (number, entry) in chosen.cases.enumerated() {
      if entry.key.site != (number > 0 ? chosen.cases[number - 1].key.site : nil) {
        content += "<h3>\(scores.table.title(ofSite: entry.key.site))</h3>\n"
      }
      switch try browser(entry, number: number, of: chosen.cases.count, labels) {
      case .browser(let browser, let scan):
        content += try browser.html()
        if entry.dice < worst?.dice ?? .infinity { worst = (scan, browser.plan.start, entry.dice) }
      case .absence(let sentence): content += paragraph(sentence)
      }
    }
    let means = labels.names.count > 1 ? ", mean over the classes" : ""
    let about = paragraph(
      "By the Dice of the \(scores.lastPass) pass\(means)\(chosen.limit). Each begins at the slice with the most pixels "
        + "that differ from the truth; the arrow keys, the slider and the buttons go to the others.")
    return Content(
      html: about + sliceLegend(classNames: labels.names) + content, worst: worst.map { ($0.scan, $0.slice) })
  }

  private typealias Entry = (title: String, key: CaseScores.Key, dice: Double)

  private var chosen: (cases: [Entry], limit: String) {
    let sites = scores.table.sites
    let all = sites.flatMap(scores.extremes)
    guard all.count > Self.mostCases else { return (all, "") }
    let worst = sites.compactMap { scores.extremes(of: $0).first }.sorted { $0.dice < $1.dice }
    let kept = Set(worst.prefix(Self.mostCases).map(\.key))
    return (
      worst.filter { kept.contains($0.key) }.sorted { comesBefore($0.key.site, $1.key.site) },
      "; of so many sites the worst case only, of at most \(Self.mostCases)"
    )
  }

  private enum Shown {
    case browser(SliceBrowser, Case)
    /// A sentence on why there is no browser.
    case absence(String)
  }

  private func browser(_ entry: Entry, number: Int, of count: Int, _ labels: LabelScheme) throws -> Shown {
    let name = entry.key.identifier
    guard let scan = images.cases[name] else {
      return .absence("\(name), the \(entry.title) case, is not in the data set.")
    }
    guard let last = mask("predictions", scan) else {
      return .absence("\(name), the \(entry.title) case: its masks were not kept.")
    }
    let hasTwoPasses = !scores.hasOnePass
    let maps: CaseMaps
    do {
      maps = try CaseMaps(
        scan, labels, first: hasTwoPasses ? mask("first-pass", scan) : last, final: hasTwoPasses ? last : nil)
    } catch let error as Refusal where error.kind == .image {
      return .absence("\(name), the \(entry.title) case: \(error)")
    }
    let dice = scores.ownPasses.compactMap { pass in
      scores.value(.dice, of: entry.key, pass: pass).map {
        (hasTwoPasses ? "\(pass) " : "") + fixed($0, decimals: 3)
      }
    }
    let browser = SliceBrowser(
      id: "case-\(number)", title: "\(entry.title.capitalized): \(name)", note: "Dice \(dice.joined(separator: ", ")).",
      rows: maps.rows, classNames: labels.names, pixels: SlicePlan.pixelsPerPage / count)
    return .browser(browser, scan)
  }

  private func mask(_ pass: String, _ scan: Case) -> URL? {
    let url = folder.appendingPathComponent("\(pass)/\(scan.site)/\(scan.name)\(scan.maskEnding)")
    return FileManager.default.fileExists(atPath: url.path) ? url : nil
  }
}

/// The image of a case with its masks, slice by slice.
private struct CaseMaps {
  let rows: [SheetRow]

  /// - Throws: `Refusal` naming the file that cannot be read or does not lie on the image.
  init(_ scan: Case, _ labels: LabelScheme, first: URL?, final: URL?) throws {
    let channels = try scan.sources[0].shownChannels()
    let geometry = channels[0].geometry
    func classes(_ url: URL) throws -> ClassMap {
      let mask = try url == scan.mask ? scan.labels()! : LabelMap(contentsOf: url)
      if let difference = mask.geometry.mismatch(with: geometry) {
        throw Refusal(
          .input, url.path, "does not lie on the voxels of its image \(scan.reference.path): \(difference)",
          remedy: "give the data that were evaluated with \(Setting.data)")
      }
      return try labels.classes(of: mask, file: url.path)
    }
    let (truth, first, final) = (try scan.mask.map(classes), try first.map(classes), try final.map(classes))
    rows = (0..<geometry.size.z).map { z in
      SheetRow(title: scan.identifier, channels: channels, z: z, reference: truth, firstPass: first, finalPass: final)
    }
  }
}
