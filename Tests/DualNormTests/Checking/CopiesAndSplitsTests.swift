import Foundation
import MedicalImaging
import Testing

@testable import Datasets

@Suite struct CopiesAndSplitsTests {
  let folder: DataFolder
  private var file: URL { folder.url.appendingPathComponent("splits.json") }

  init() throws { folder = try DataFolder() }

  @Test func turnedCopiesAreNamed() {
    let facts = site("A", 2, fact("A/one", hash: 1, unorderedHash: 5), fact("A/two", hash: 2, unorderedHash: 5))
    #expect(
      CaseComparison.said(facts) == [
        "warning: A/one and A/two have the same voxels in another order, as mirrored or turned copies of one image have; keep "
          + "one, or training and test may share a patient."
      ])
  }

  @Test func hashesSeeOrderOrDoNot() {
    let one = image([3, 2, 2]) { x, y, z in Float(x + 3 * y * z) }
    let other = Image(voxels: one.voxels.reversed(), geometry: one.geometry)
    var hashes = [VoxelHash(), VoxelHash(), VoxelHash()]
    hashes[0].combine(one)
    hashes[1].combine(other)
    hashes[2].combine(image([3, 2, 2]) { x, y, z in Float(x + 3 * y * z + (x == 2 ? 1 : 0)) })
    #expect(hashes[0].value != hashes[1].value && hashes[0].unordered == hashes[1].unordered)
    #expect(hashes[0].unordered != hashes[2].unordered)
  }

  @Test func patientsOfSeveralSites() {
    let facts = [fact("A/a", patient: "P7"), fact("B/b", patient: "P7"), fact("A/c0"), fact("B/c0")]
    #expect(
      CaseComparison.said(facts) == [
        "warning: Patient P7 is at several sites (A/a and B/b), and splits keep a patient together within a site only; rename "
          + "the patient if it is another one, or keep one site's scans."
      ])
  }

  private func said(_ facts: [CaseFacts]) throws -> [String] {
    try SplitSides(contentsOf: file, cases: facts.map(\.scan)).findings(facts).map {
      "\($0.severity.rawValue): \($0.message)"
    }
  }

  @Test func foldsThatShareNothingAreSound() throws {
    try folder.write(
      #"[{"train": ["a", "b"], "val": ["c"]}, {"train": ["c"], "val": ["a", "b"]}]"#, to: "splits.json")
    #expect(try said([fact("A/a", patient: "P"), fact("A/b", patient: "P"), fact("A/c")]).isEmpty)
  }

  @Test func patientsAndImagesOnTwoSides() throws {
    try folder.write(
      #"[{"train": ["a", "b"], "val": ["c"]}, {"train": ["b"], "val": ["a", "d"]}]"#, to: "splits.json")
    let facts = [
      fact("A/a", patient: "P"), fact("A/b", hash: 4), fact("A/c", patient: "P"), fact("A/d", hash: 4),
    ]
    #expect(
      try said(facts) == [
        "error: \(file.path), fold 0: patient P of A is in train (A/a) and in val (A/c); keep all scans of a patient on one "
          + "side.",
        "error: \(file.path), fold 1: one image is in train (A/b) and in val (A/d); keep all scans of a patient on one side.",
        "warning: \(file.path): patient P of A is in val of folds 0 and 1; test each patient in one fold, or means over folds "
          + "count it more than once.",
      ])
  }

  @Test func patientsOfTwoSitesOnTwoSides() throws {
    try folder.write(#"{"training": ["A/a"], "validation": [], "test": ["B/b"]}"#, to: "splits.json")
    #expect(
      try said([fact("A/a", patient: "P"), fact("B/b", patient: "P")]) == [
        "warning: \(file.path): patient P is in training (A/a) and in test (B/b); if this is one person at two sites, keep all scans "
          + "of a patient on one side."
      ])
    #expect(try said([fact("A/a"), fact("B/b")]).isEmpty)
  }

  @Test func filesThatNameNothing() throws {
    try folder.write(#"[{"train": ["a"], "val": ["x"]}]"#, to: "splits.json")
    let scans = [fact("A/a").scan, fact("A/b").scan]
    #expect(
      sentence { try SplitSides(contentsOf: file, cases: scans) }
        == "\(file.path), fold 0: val names x, which is not in the data; the nearest is a. Correct the name or add the case."
    )
    try folder.write(#"{"training": ["A/a", "A/a"], "validation": [], "test": []}"#, to: "splits.json")
    #expect(
      sentence { try SplitSides(contentsOf: file, cases: scans) }
        == "\(file.path): training names A/a twice; name each case once.")
  }

  @Test func grids() {
    #expect(CaseComparison.said([fact("A/a", rounding: 1e-4), fact("A/b", rounding: nil)]).isEmpty)
    #expect(
      CaseComparison.said([fact("A/a", rounding: 0.02), fact("A/b", rounding: 0.01)]) == [
        "note: The grids of mask and image differ by rounding in 2 cases (A/a and A/b), by up to 0.02 of a voxel; that does no "
          + "harm here, and dualnorm check --fix writes the image's grid into the mask for programs that refuse it."
      ])
  }
}
