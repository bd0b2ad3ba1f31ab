import Basics
import Datasets
import DualNorm

/// The page of a run folder.
struct RunPage {
  private let contents: RunContents
  private let images: ReportImages

  init(_ run: RunFolder, data: String?) throws {
    contents = try RunContents(run)
    images = try ReportImages(
      given: data, recorded: contents.configuration?.data, modalityCount: contents.description?.modalities.count ?? 1)
  }

  func page() throws -> Page {
    let data = contents.configuration?.data.map { " on \($0)" } ?? ""
    var page = Page(
      title: "Training \(contents.run.url.lastTwoNames)",
      lead: contents.configuration == nil ? "A model that was imported." : "A network trained by \(Verb.train)\(data)."
    )
    if contents.configuration != nil || contents.description == nil {
      page.notices += [contents.unfinished].compactMap { $0 }
    }
    page.notices += contents.run.recordedWarnings()
    page.add("what", "What was trained", contents.overview)
    Self.addTraining(contents, to: &page)
    page.add("maps", "What the dual layers do", try maps())
    if contents.configuration != nil { page.add("options", "Options", contents.options) }
    return page
  }

  /// Adds data and curves if available.
  static func addTraining(_ contents: RunContents, to page: inout Page) {
    if contents.split != nil || contents.facts != nil { page.add("data", "Data and split", contents.data) }
    guard let history = contents.history else { return }
    let passes = contents.description?.passes ?? Pass.allCases
    page.add("curves", "Learning curves", TrainingCurves(history, of: passes).html)
  }

  /// The dual maps of a validation case or else of a training case.
  private func maps() throws -> Markup {
    guard contents.isFinished else { return paragraph("The training is not finished, so there is no model to ask.") }
    let model = try SegmentationModel(contentsOf: contents.run)
    let wanted = (contents.split?.validation ?? []) + (contents.split?.training ?? [])
    guard let scan = wanted.lazy.compactMap({ images.cases[$0] }).first ?? images.first else {
      return paragraph(images.absence ?? "The data set has none of the run's cases.")
    }
    return try DualMapSection.html(model, scan: scan, slice: nil)
  }
}
