import Basics
package import Foundation
import MedicalImaging

/// Safe repairs of a data set: one orientation, one grid a case, no copies.
///
/// Images and masks are turned to one orientation, a case's grids that differ by rounding become one, and copies of a
/// case are left out. No voxel changes its value or its place.
package struct DataRepair: Sendable {
  enum Kind: String, Codable, Sendable {
    /// Axes exchanged and turned, in voxels and header alike.
    case turned
    /// Headers of the case's other files replaced by that of the first image.
    case grid
    /// Left out as a copy of another case.
    case dropped
    /// A format with several files, or possibly several, written as NIfTI.
    case format
    /// Not turned, because the files do not lie on one grid.
    case left
  }

  package struct Change: Codable, Equatable, Sendable {
    /// `Site-A/Case03`.
    package let identifier: String
    let kind: Kind
    package let message: String
  }

  /// The changes made, for reports.
  package struct Summary: Codable, Equatable, Sendable {
    package let folder: String
    package let changes: [Change]
  }

  /// The repair of one case.
  struct Step: Sendable {
    let scan: Case
    var turn: Orientation?
    /// The grid of the first image, for the others.
    var grid: Geometry?
  }

  /// The least difference between a case's grids to report, in voxels; float32 rounding is smaller.
  static let leastRounding = 1e-3

  private(set) var changes: [Change] = []
  let dataset: Dataset
  private(set) var steps: [Step] = []

  /// Plans the repair; reads and writes nothing.
  ///
  /// - Parameters:
  ///   - facts: from a check of `dataset`. Cases without facts are copied as they are.
  ///   - dropDuplicates: leaves out cases whose image, grid and mask equal those of an earlier case.
  package init(of dataset: Dataset, facts: [CaseFacts], dropDuplicates: Bool = false) {
    self.dataset = dataset
    let known = Dictionary(facts.map { ($0.identifier, $0) }) { first, _ in first }
    let copies = dropDuplicates ? DataRepair.copies(facts) : [:]
    let groups = CaseComparison.byOrientation(facts.filter(\.scan.hasOrientation))
    let usual = groups.first?.facts[0].geometry
    for scan in dataset.cases {
      if let original = copies[scan.identifier] {
        add(scan, .dropped, "left out, a copy of \(original)")
        continue
      }
      var step = Step(scan: scan)
      if let fact = known[scan.identifier], !scan.isPicture {
        plan(&step, fact, usual)
        for url in scan.images + [scan.mask].compactMap({ $0 }) where step.turn == nil && !isCopied(url) {
          add(scan, .format, "\(url.lastPathComponent) written as NIfTI")
        }
      }
      steps.append(step)
    }
  }

  package func summary(in folder: URL) -> Summary { Summary(folder: folder.path, changes: changes) }

  private mutating func plan(_ step: inout Step, _ fact: CaseFacts, _ usual: Geometry?) {
    let own = fact.geometry.orientation
    if let usual, usual.orientation != own, usual.largestAngle(to: fact.geometry) > CaseComparison.turnedDegrees {
      guard fact.profile?.rounding != nil else {
        add(step.scan, .left, "left as \(own.code), since its files do not lie on one grid")
        return
      }
      step.turn = usual.orientation
      add(step.scan, .turned, "turned from \(own.code) to \(usual.orientation.code)")
    }
    guard let rounding = fact.profile?.rounding, step.turn != nil || rounding > DataRepair.leastRounding else { return }
    step.grid = fact.geometry
    guard rounding > DataRepair.leastRounding else { return }
    add(step.scan, .grid, "grids that differed by \(short(rounding)) of a voxel made that of the image")
  }

  private mutating func add(_ scan: Case, _ kind: Kind, _ message: String) {
    changes.append(Change(identifier: scan.identifier, kind: kind, message: message))
  }

  /// Maps each case that equals an earlier one to that case.
  private static func copies(_ facts: [CaseFacts]) -> [String: String] {
    var result: [String: String] = [:]
    let known = facts.filter { $0.profile != nil }
    for group in Dictionary(grouping: known, by: { [$0.imageHash, $0.profile!.maskHash] }).values {
      let ordered = group.sorted { $0.identifier < $1.identifier }
      for fact in ordered.dropFirst() where fact.geometry.mismatch(with: ordered[0].geometry) == nil {
        result[fact.identifier] = ordered[0].identifier
      }
    }
    return result
  }
}

/// Tells whether a file can be copied alone: the header of a MetaImage or NRRD may name another file.
func isCopied(_ url: URL) -> Bool {
  let name = url.lastPathComponent.lowercased()
  return isPicture(url) || name.hasSuffix(".nii") || name.hasSuffix(".nii.gz")
}

extension DataRepair.Summary {
  var lines: [String] {
    let rows = changes.map { "  \($0.identifier): \($0.message)" }
    return [
      "\(folder): \(rows.isEmpty ? "a plain copy, since nothing was found that a copy can repair." : "a repaired copy.")"
    ] + rows
  }
}
