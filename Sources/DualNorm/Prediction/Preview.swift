package import Datasets
package import MedicalImaging
package import Pictures
import Scores

extension SliceSheet {
  /// A case's slice with the most classes and foreground, beside the same slice with the predicted outlines.
  ///
  /// - Parameters:
  ///   - labels: mask of the last pass, in file values.
  ///   - firstPass: mask of the first of two passes, in file values; nil leaves its picture out.
  /// - Throws: `Refusal` for an image that cannot be read.
  package static func preview(
    of scan: Case, named name: String, labels: LabelMap, firstPass: LabelMap? = nil, by model: ModelDescription
  ) throws -> SliceSheet {
    func classes(_ labels: LabelMap) throws -> ClassMap { try model.labels.classes(of: labels, file: name) }
    let titles = PassTitles(model.passes)
    let last = try classes(labels)
    let row = SheetRow(
      title: name, channels: try scan.sources[0].shownChannels(),
      z: SheetRow.fullestSlice(of: labels),
      firstPass: titles.hasOnePass ? last : try firstPass.map(classes), finalPass: titles.hasOnePass ? nil : last)
    return SliceSheet(rows: [row], classNames: model.labels.names, firstTitle: titles.heading(of: .first))
  }
}
