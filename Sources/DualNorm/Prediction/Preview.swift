package import Datasets
package import MedicalImaging
package import Pictures
package import Scores

extension SliceSheet {
  /// A case's slice with the most classes and foreground, beside the same slice with the predicted outlines.
  ///
  /// - Parameters:
  ///   - labels: mask of the last pass, in file values.
  ///   - firstPass: mask of the first pass, in file values; nil leaves its picture out.
  /// - Throws: `Refusal` for an image that cannot be read.
  package static func preview(
    of scan: Case, named name: String, labels: LabelMap, firstPass: LabelMap? = nil, scheme: LabelScheme
  ) throws -> SliceSheet {
    func classes(_ labels: LabelMap) throws -> ClassMap { try scheme.classes(of: labels, file: name) }
    let row = SheetRow(
      title: name, channels: try scan.sources[0].shownChannels(),
      z: SheetRow.fullestSlice(of: labels),
      firstPass: try firstPass.map(classes), finalPass: try classes(labels))
    return SliceSheet(rows: [row], classNames: scheme.names)
  }
}
