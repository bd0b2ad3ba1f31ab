import Basics
import Foundation
import MedicalImaging

/// What can be put right in a data set without doubt: images and masks turned to one orientation, grids of one case
/// that differ by rounding made one, and copies of a case left out. No voxel gets another value or place.
package struct DataRepair: Sendable {
  enum Kind: String, Codable, Sendable {
    /// Axes exchanged and turned, in voxels and header alike.
    case turned
    /// Headers of the case's other files made that of the first image.
    case grid
    /// Left out as a copy of another case.
    case dropped
    /// A format that needs several files, or may, written as NIfTI.
    case format
    /// Would have been turned, but its files do not lie on one grid.
    case left
  }

  package struct Change: Codable, Equatable, Sendable {
    /// `Site-A/Case03`.
    package let identifier: String
    let kind: Kind
    package let message: String
  }

  /// What was done, for reports.
  package struct Summary: Codable, Equatable, Sendable {
    package let folder: String
    package let changes: [Change]
  }

  /// What is done to a case.
  struct Step: Sendable {
    let scan: Case
    var turn: Orientation?
    /// The grid of the first image, for the others.
    var grid: Geometry?
  }

  /// Farther apart than this, in voxels, grids of one case are worth a word; float32 rounds by less.
  static let leastRounding = 1e-3

  private(set) var changes: [Change] = []
  let dataset: Dataset
  private(set) var steps: [Step] = []

  /// Decides what to do; nothing is read or written.
  ///
  /// - Parameters:
  ///   - facts: from a check of `dataset`. Cases that are not in them are copied as they are.
  ///   - dropDuplicates: leave out cases whose image, grid and mask equal those of an earlier case.
  package init(of dataset: Dataset, facts: [CaseFacts], dropDuplicates: Bool = false) {
    self.dataset = dataset
    let known = Dictionary(facts.map { ($0.identifier, $0) }) { first, _ in first }
    let copies = dropDuplicates ? DataRepair.copies(facts) : [:]
    let groups = CaseComparison.byOrientation(facts.filter { !$0.scan.isPicture })
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

  /// The cases that equal an earlier one, and that one.
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

/// Whether a file can be copied alone: the header of a MetaImage or NRRD may name another one.
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
