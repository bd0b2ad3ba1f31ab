import Foundation
import Testing

@testable import Datasets

@Suite struct FoldsFileTests {
  private let folder: DataFolder
  private var file: URL { folder.url.appendingPathComponent("splits_final.json") }

  init() throws { folder = try DataFolder() }

  private func scan(_ site: String, _ name: String, patient: String? = nil) -> Case {
    Case(name: name, site: site, patient: patient, images: [], mask: nil)
  }

  private var twoSites: [Case] {
    [scan("A", "Case0"), scan("A", "Case1"), scan("A", "Scan2", patient: "P"), scan("A", "Scan3", patient: "P")]
      + [scan("B", "Case0"), scan("B", "Other")]
  }

  private func read(_ json: String, _ cases: [Case]) throws -> Folds {
    try folder.write(json, to: "splits_final.json")
    return try Folds(contentsOf: file, cases: cases)
  }

  @Test func aSingleSitesFileIsWhatNNUNetWrites() throws {
    let cases = (0..<4).map { scan("data", "hippocampus_00\($0)") }
    let folds = try Folds.make(cases: cases, count: 2, seed: 1)
    try folds.write(to: file, cases: cases)
    let json = try JSONSerialization.jsonObject(with: Data(contentsOf: file)) as? [[String: [String]]]
    #expect(json?.count == 2 && json?[0].keys.sorted() == ["train", "val"])
    #expect(json?[0]["val"]?.allSatisfy { $0.hasPrefix("hippocampus_") } == true)
    #expect(try Folds(contentsOf: file, cases: cases) == folds)
  }

  @Test func namesOfSeveralSitesHaveTheirSiteAndMayLackItWhereItIsClear() throws {
    let folds = try Folds.leavingOneSiteOut(cases: twoSites)
    try folds.write(to: file, cases: twoSites)
    #expect(try String(contentsOf: file, encoding: .utf8).contains("\"B/Case0\""))
    #expect(try Folds(contentsOf: file, cases: twoSites) == folds)
    let bare = try read(#"[{"train": ["A/Case0", "Case1"], "val": ["Other", "B/Case0"]}]"#, twoSites)
    #expect(bare == Folds([Folds.Fold(train: ["A/Case0", "A/Case1"], test: ["B/Case0", "B/Other"])]))
  }

  @Test(arguments: [
    (
      #"{"train": [], "val": []}"#,
      ": is no list of folds; expected [{\"train\": [case, …], \"val\": [case, …]}, …], as nnU-Net writes it."
    ),
    (
      #"[{"train": ["Case1"], "test": ["Other"]}]"#,
      ": is no list of folds; expected [{\"train\": [case, …], \"val\": [case, …]}, …], as nnU-Net writes it."
    ),
    ("[]", ": holds no folds; give at least one with the lists train and val."),
    (#"[{"train": ["Case1"], "val": []}]"#, ", fold 0: val is empty; name at least one case."),
    (
      #"[{"train": ["Case1"], "val": ["B/Othre"]}]"#,
      ", fold 0: val names B/Othre, which is not in the data; the nearest is B/Other. Correct the name or add the case."
    ),
    (
      #"[{"train": ["Case1"], "val": ["Case0"]}]"#,
      ", fold 0: val names Case0, which A and B have; name the site too, as in A/Case0."
    ),
    (
      #"[{"train": ["Case1", "A/Case1"], "val": ["Other"]}]"#,
      ", fold 0: train names A/Case1 twice; name each case once."
    ),
    (
      #"[{"train": ["Case1", "Other"], "val": ["Other"]}]"#,
      ", fold 0: patient Other of B is in train and in val; keep all scans of a patient on one side."
    ),
    (
      #"[{"train": ["Scan2"], "val": ["Scan3"]}]"#,
      ", fold 0: patient P of A is in train and in val; keep all scans of a patient on one side."
    ),
    (
      #"[{"train": ["Case1"], "val": ["Scan2"]}, {"train": ["Case1"], "val": ["Scan3"]}]"#,
      ": patient P of A is in val of fold 0 and of fold 1; test each patient in one fold."
    ),
  ])
  func refuses(json: String, end: String) {
    #expect(sentence { try read(json, twoSites) } == file.path + end)
  }

  /// The third fold tests the same cases as the first, and the second names a missing case.
  @Test func aSingleFoldIsReadWhateverTheOthersHold() throws {
    let json =
      #"[{"train": ["Case1"], "val": ["Other"]}, {"train": ["Case9"], "val": []}, {"train": ["Scan2"], "val": ["Other"]}]"#
    try folder.write(json, to: "splits_final.json")
    func fold(_ number: Int) throws -> Folds.Fold {
      try Folds.fold(in: file, cases: twoSites) { count in
        #expect(count == 3)
        return number
      }
    }
    #expect(try fold(0) == Folds.Fold(train: ["A/Case1"], test: ["B/Other"]))
    #expect(try fold(2) == Folds.Fold(train: ["A/Scan2"], test: ["B/Other"]))
    #expect(sentence { try fold(1) }.hasPrefix("\(file.path), fold 1: train names Case9, which is not in the data;"))
    try folder.write(#"[{"train": ["Scan2"], "val": ["Scan3"]}]"#, to: "splits_final.json")
    #expect(
      sentence { try Folds.fold(in: file, cases: twoSites) { _ in 0 } }
        == "\(file.path), fold 0: patient P of A is in train and in val; keep all scans of a patient on one side.")
  }

  @Test func refusesAFileThatIsNotThere() {
    #expect(
      sentence { try Folds(contentsOf: file, cases: twoSites) }
        == "\(file.path): cannot be read; check the path of the folds.")
  }
}
