import Basics
import Foundation
import MedicalImaging
import Scores

extension PreparedSite: CustomStringConvertible {
  /// A table of the cases, then one line for each omission or deviation from the recipe.
  package var description: String {
    let header = ["case", "size x×y×z", "", "spacing in mm", "", "slices", "labels (voxels)", "dropped (voxels)"]
    return (alignedColumns([header] + cases.map(row)) + notes).joined(separator: "\n")
  }

  private func row(_ facts: PreparedCaseFacts) -> [String] {
    func size(_ values: [Int]) -> String { values.map(String.init).joined(separator: "×") }
    func spacing(_ values: [Double]) -> String { values.map(short).joined(separator: "×") }
    let range = "\(facts.slices.first)–\(facts.slices.last)"
    let step = recipe.everyNthSlice == 1 ? "" : ", every \(recipe.everyNthSlice)"
    return [
      facts.name, size(facts.sourceSize), "→ " + size(facts.size), spacing(facts.sourceSpacingMM),
      "→ " + spacing(facts.spacingMM), "\(range)\(step): \(facts.size[2]) of \(facts.sourceSize[2])",
      counts(facts.voxels) { name($0) }, counts(facts.sourceVoxels.filter { recipe.drops($0.key) }) { $0 },
    ]
  }

  private func name(_ value: String) -> String { LabelValue(value).flatMap { recipe.labelNames[$0] } ?? value }

  private func counts(_ voxels: [String: Int], _ name: (String) -> String) -> String {
    guard !voxels.isEmpty else { return "none" }
    return voxels.sorted { Int($0.key) ?? 0 < Int($1.key) ?? 0 }.map { "\(name($0.key)) \($0.value)" }
      .joined(separator: ", ")
  }

  private var notes: [String] {
    var lines: [String] = []
    for label in recipe.labels {
      let absent = label.from.filter { value in !cases.contains { $0.sourceVoxels[String(value)] != nil } }
      guard !absent.isEmpty else { continue }
      lines.append("No mask holds \(LabelScheme.sentence(Set(absent))), which the recipe maps to \(label.name).")
    }
    for facts in cases {
      let lost = recipe.labels.filter { label in
        facts.voxels[String(label.to)] == nil && label.from.contains { facts.sourceVoxels[String($0)] != nil }
      }
      if !lost.isEmpty {
        lines.append("\(facts.name): \(listed(lost.map(\.name))) lost by resampling or leaving slices out.")
      }
    }
    if !pairedByNumber.isEmpty {
      let pairs = cases.filter { pairedByNumber.contains($0.name) }.map {
        URL(fileURLWithPath: $0.images[0]).lastPathComponent + " with "
          + URL(fileURLWithPath: $0.mask).lastPathComponent
      }
      lines.append("Paired by the number in their names: \(listed(pairs)).")
    }
    if !unpaired.isEmpty {
      let files = unpaired.map { URL(fileURLWithPath: $0).lastPathComponent }
      lines.append("Left out, without a partner: \(listed(files, atMost: 10)).")
    }
    if isCroppedByLabels { lines.append("Cropped to the labelled slices: train on these cases, do not test on them.") }
    return lines
  }
}

extension DataRecipe {
  /// Tells whether a source's value becomes background.
  fileprivate func drops(_ value: String) -> Bool { LabelValue(value).map { valueMap[Int($0)] == 0 } ?? false }
}
