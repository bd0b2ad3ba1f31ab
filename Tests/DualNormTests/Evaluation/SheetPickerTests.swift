import Foundation
import Testing

@testable import Datasets
@testable import DualNorm

/// The cases in an evaluation's picture.
@Suite struct SheetPickerTests {
  private func names(_ picture: Evaluation.Picture, _ cases: [(name: String, dice: Double?)]) -> [String] {
    var picker = SheetPicker()
    for (site, entry) in cases.flatMap({ [("A", $0), ("A2", ($0.name, 0.7))] }) {
      let scan = Case(name: entry.0, site: site, images: [], mask: nil)
      picker.add(SheetPicker.Candidate(scan: scan, dice: entry.1))
    }
    return picker.chosen(picture, of: "A").map(\.scan.name)
  }

  /// Cases are ranked by number; as text, "Dice 9e-05" would come after "Dice 0.999" and "Dice 1.000".
  @Test func aSitesPictureShowsItsMedianAndTheWorstWhereAskedFor() {
    let cases: [(name: String, dice: Double?)] = [("a", 1), ("b", 9e-5), ("c", nil), ("d", 0.999), ("e", 0.5)]
    #expect(names(.worstMedianAndBest, cases) == ["b", "e", "a"])
    #expect(names(.median(andWorstOf: ["B"]), cases) == ["e"])
    #expect(names(.median(andWorstOf: ["A"]), cases) == ["b", "e"])
    #expect(names(.worstMedianAndBest, [("f", nil)]) == ["f"])
    #expect(names(.worstMedianAndBest, []) == [])
  }

  /// Cases with the same Dice are sorted by name, where 10 follows 9.
  @Test func equalCasesAreInTheOrderOfTheirNames() {
    let cases: [(name: String, dice: Double?)] = [("c10", 0.5), ("c9", 0.5), ("c8", 0.5), ("c1", 0.75)]
    #expect(names(.worstMedianAndBest, cases) == ["c8", "c9", "c1"])
  }
}
