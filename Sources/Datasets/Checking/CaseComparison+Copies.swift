import Basics
import Foundation

extension CaseComparison {
  /// Finds images of equal voxels in another order. Equal order makes duplicates, which `DataCheckRules` finds.
  func turnedCopies() -> [DataCheck.Finding] {
    let known = facts.filter { $0.profile != nil }
    return Dictionary(grouping: known) { $0.profile!.unorderedHash }.values
      .filter { Set($0.map(\.imageHash)).count > 1 }
      .map { group in group.sorted { $0.identifier < $1.identifier } }.sorted { $0[0].identifier < $1[0].identifier }
      .map { group in
        .init(
          .warning, .duplicate,
          "\(listed(group.map(\.identifier), atMost: 5)) have the same voxels in another order, as mirrored or turned copies "
            + "of one image have; keep one, or training and test may share a patient.", on: group)
      }
  }

  /// Finds patients that the lists name at several sites.
  ///
  /// An unnamed patient has its case's name, which identifies nobody across sites.
  func patients() -> [DataCheck.Finding] {
    let named = facts.filter { $0.scan.patient != $0.scan.name }
    return Dictionary(grouping: named, by: \.scan.patient).filter { Set($0.value.map(\.scan.site)).count > 1 }
      .sorted { $0.key < $1.key }.map { patient, group in
        .init(
          .warning, .patient,
          "Patient \(quoted(patient)) is at several sites (\(listed(group.map(\.identifier), atMost: 5))), and splits keep a "
            + "patient together within a site only; rename the patient if it is another one, or keep one site's scans.",
          on: group)
      }
  }

  /// Finds grids of one case that differ by rounding, but by more than float32 rounding.
  func roundings() -> [DataCheck.Finding] {
    let rounded = facts.filter { ($0.profile?.rounding ?? 0) > DataRepair.leastRounding }
    guard let most = rounded.compactMap({ $0.profile?.rounding }).max() else { return [] }
    return [
      .init(
        .note, .rounding,
        "The grids of mask and image differ by rounding in \(counted(rounded.count, "case")) "
          + "(\(listed(rounded.map(\.identifier)))), by up to \(short(most)) of a voxel; that does no harm here, and "
          + "\(Verb.check) \(Setting.fix) writes the image's grid into the mask for programs that refuse "
          + "it.", on: rounded)
    ]
  }
}
