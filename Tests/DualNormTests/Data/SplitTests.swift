import Foundation
import Testing

@testable import Basics
@testable import Datasets

@Suite struct SplitTests {
  /// Creates `scans` scans of each of `patients` patients.
  func cases(_ site: String, patients: Int, scans: Int = 1) -> [Case] {
    (0..<patients).flatMap { patient in
      (0..<scans).map { scan in
        Case(name: "P\(patient)S\(scan)", site: site, patient: "P\(patient)", images: [], mask: nil)
      }
    }
  }

  /// A site with one patient holds none out, with a message. `--hold-out` is refused if no site can hold out any.
  @Test func aSinglePatientIsNotHeldOut() throws {
    let single = cases("A", patients: 1, scans: 2) + cases("B", patients: 1)
    #expect(
      sentence { try Split.make(cases: single, testFraction: 0.2, seed: 0) }
        == "--hold-out 0.2: A and B have a single patient each, so none can be held out; add patients, or leave --hold-out out and test on other data."
    )
    let (split, warnings) = try Warnings.collecting {
      try Split.make(cases: single + cases("C", patients: 4), testFraction: 0.25, seed: 0)
    }
    #expect(
      warnings == ["--hold-out 0.25: A and B have a single patient each, who trains: none is held out there."])
    #expect(split.test.count == 1 && split.test[0].hasPrefix("C/"))
    #expect(try Warnings.collecting { try Split.make(cases: single, seed: 0) }.warnings.isEmpty)
  }

  @Test func sidesFollowTheFractionsInEverySite() throws {
    let split = try Split.make(
      cases: cases("A", patients: 20) + cases("B", patients: 10), validationFraction: 0.2, testFraction: 0.1, seed: 1)
    func count(_ names: [String], _ site: String) -> Int { names.count { $0.hasPrefix(site) } }
    #expect([split.training, split.validation, split.test].map { count($0, "A") } == [14, 4, 2])
    #expect([split.training, split.validation, split.test].map { count($0, "B") } == [7, 2, 1])
    #expect(Set(split.training + split.validation + split.test).count == 30)
  }

  @Test func patientsStayTogether() throws {
    let split = try Split.make(
      cases: cases("A", patients: 7, scans: 3), validationFraction: 0.3, testFraction: 0.3, seed: 2)
    func patients(_ names: [String]) -> Set<String> { Set(names.map { String($0.prefix(4)) }) }
    #expect(patients(split.training).count == 3 && split.training.count == 9)
    #expect(patients(split.validation).count == 2 && split.validation.count == 6)
    #expect(patients(split.test).count == 2 && split.test.count == 6)
  }

  @Test func orderAndOtherSitesMakeNoDifference() throws {
    let a = cases("A", patients: 12)
    let split = try Split.make(cases: a, seed: 3)
    #expect(try Split.make(cases: a.reversed(), seed: 3) == split)
    let both = try Split.make(cases: cases("B", patients: 5) + a, seed: 3)
    #expect(both.validation.filter { $0.hasPrefix("A") } == split.validation)
    let others = try Set((4..<24).map { try Split.make(cases: a, seed: $0).validation })
    #expect(others.count > 5)
  }

  /// Maps (patients, test fraction) to cases of (training, validation, test).
  @Test(
    arguments: [
      (1, 0, [1, 0, 0]), (2, 0, [1, 1, 0]), (3, 0, [2, 1, 0]), (2, 0.2, [1, 0, 1]),
      (3, 0.2, [1, 1, 1]), (3, 0.8, [1, 1, 1]),
    ] as [(Int, Double, [Int])])
  func smallSitesAlwaysTrain(_ patients: Int, _ testFraction: Double, _ counts: [Int]) throws {
    let split = try Split.make(cases: cases("A", patients: patients), testFraction: testFraction, seed: 0)
    #expect([split.training.count, split.validation.count, split.test.count] == counts)
  }

  @Test(arguments: [(-0.1, 0.0), (0.5, 0.5), (.nan, 0.0)])
  func fractionsThatLeaveNothingAreRefused(_ validation: Double, _ test: Double) {
    #expect(
      sentence { try Split.make(cases: [], validationFraction: validation, testFraction: test, seed: 0) }
        == "The validation fraction \(validation) and the test fraction \(test) must be at least 0 and their sum below 1."
    )
  }

  @Test func theFileIsReadBackAndChecked() throws {
    let folder = try DataFolder()
    let file = folder.url.appendingPathComponent("run/splits.json")
    let all = cases("A", patients: 5, scans: 2)
    let split = try Split.make(cases: all, testFraction: 0.2, seed: 4)
    try split.write(to: file)
    #expect(try Split(contentsOf: file, cases: all) == split)

    func message(_ json: String) throws -> String {
      try folder.write(json, to: "run/splits.json")
      return sentence { try Split(contentsOf: file, cases: all) }
    }
    for (json, end) in [
      (
        #"{"training": ["A/P9S0"], "validation": [], "test": []}"#,
        "training names A/P9S0, which is not in the data; correct the name or add the case."
      ),
      (
        #"{"training": ["A/P1S0"], "validation": ["A/P1S0"], "test": []}"#,
        "A/P1S0 is named twice; name each case once."
      ),
      (
        #"{"training": ["A/P1S0"], "validation": [], "test": ["A/P1S1"]}"#,
        "patient P1 of A is in training and in test; keep all scans of a patient on one side."
      ),
      (
        #"{"training": [], "validation": ["A/P1S0"], "test": []}"#, "training is empty; name the cases to train on."
      ),
      (
        #"{"training": "A"}"#,
        "is not a split; expected a JSON object with the lists training, validation and test of site/case names."
      ),
    ] {
      #expect(try message(json) == "\(file.path): \(end)")
    }
    try FileManager.default.removeItem(at: file)
    #expect(
      sentence { try Split(contentsOf: file, cases: all) }
        == "\(file.path): cannot be read; check the path, or leave the file out to draw a new split.")
  }
}
