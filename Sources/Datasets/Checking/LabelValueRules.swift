import Basics
import Foundation
import MedicalImaging

extension DataCheckRules {
  /// Finds masks whose greys along edges would become classes, except masks with too many values.
  func greyEdges() -> [DataCheck.Finding] {
    let smooth = facts.filter { $0.greyEdges != nil && $0.labels.count <= Self.mostUnnamedLabels }
    guard labelNames.isEmpty, let edges = smooth.first?.greyEdges else { return [] }
    let counts = smooth.compactMap(\.greyEdges?.count)
    let (least, most) = (counts.min() ?? 0, counts.max() ?? 0)
    let masks = smooth.compactMap(\.scan.mask)
    return [
      .init(
        .warning, .greyEdges,
        "\(counted(masks.count, "mask")) (\(listed(masks.map(\.path)))): \(least == most ? "\(most)" : "\(least) to \(most)") "
          + "values between \(edges.least) and \(edges.greatest) lie along edges only, as in smoothed (antialiased) masks, and "
          + "each would become a class; threshold the masks at \(edges.threshold).",
        cases: smooth.map(\.scan.identifier), files: masks)
    ]
  }

  /// Finds masks of one structure that hold 255 in some cases and another value in others.
  func labelValues() -> DataCheck.Finding? {
    let masked = facts.map { (fact: $0, labels: foreground($0)) }.filter { !$0.labels.isEmpty }
    let values = Set(masked.flatMap(\.labels)).sorted()
    guard labelNames.isEmpty, values.count == 2, values[1] == 255, masked.allSatisfy({ $0.labels.count == 1 }) else {
      return nil
    }
    let parts = values.map { value in
      let own = masked.filter { $0.labels == [value] }.map(\.fact.scan.identifier)
      return "\(value) in \(counted(own.count, "mask")) (\(listed(own)))"
    }
    return .init(
      .warning, .labelValues,
      "The masks hold one label each, \(parts.joined(separator: ", ")), likely one structure, since pictures often "
        + "have 255 for 1; give \(Setting.mergeLabels) \(values[0]),255, or two classes are learnt.",
      cases: masked.map(\.fact.scan.identifier), files: masked.compactMap(\.fact.scan.mask))
  }

  /// Finds cases whose image holds labels while the mask does not.
  static func exchanged(_ inspections: [CaseInspection], in dataset: Dataset) -> [DataCheck.Finding] {
    let odd = inspections.filter(\.isExchanged).map(\.scan)
    guard !odd.isEmpty else { return [] }
    let names = dataset.layout == .description ? "imagesTr and labelsTr" : "images and masks"
    return [
      .init(
        .error, .exchanged,
        "\(dataset.folder.path): are \(names) exchanged? In \(odd.count) of \(counted(inspections.count, "case")) "
          + "(\(listed(odd.map(\.identifier)))) the image holds a few whole numbers, as a mask does, and the mask does not; "
          + "exchange the two.",
        cases: odd.map(\.identifier), files: odd.flatMap { $0.images + [$0.mask].compactMap { $0 } })
    ]
  }

  /// Finds one number of a segment with two names.
  static func segmentNames(in dataset: Dataset) -> [DataCheck.Finding] {
    dataset.segmentNames.conflict.map { sentence in
      [.init(.warning, .labelValues, sentence, files: dataset.segmentNames.conflictingFiles)]
    } ?? []
  }

  static func unread(in dataset: Dataset) -> [DataCheck.Finding] {
    dataset.unreadImages.sentence.map { sentence in
      [.init(.warning, .unread, sentence, files: dataset.unreadImages.files)]
    } ?? []
  }
}
