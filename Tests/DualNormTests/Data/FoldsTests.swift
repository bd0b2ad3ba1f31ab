import Foundation
import Testing

@testable import Datasets

@Suite struct FoldsTests {
  private func cases(_ site: String, patients: Int, scans: Int = 1) -> [Case] {
    (0..<patients).flatMap { patient in
      (0..<scans).map { scan in
        Case(name: "P\(patient)S\(scan)", site: site, patient: "P\(patient)", images: [], mask: nil)
      }
    }
  }

  @Test func everyPatientIsTestedOnceAndSitesAreSharedOutEvenly() throws {
    let all = cases("A", patients: 13, scans: 2) + cases("B", patients: 7)
    let folds = try Folds.make(cases: all, count: 5, seed: 1).folds
    #expect(folds.flatMap(\.test).sorted() == all.map(\.identifier).sorted())
    for fold in folds {
      #expect(Set(fold.train).isDisjoint(with: fold.test))
      #expect(fold.train.count + fold.test.count == all.count)
      #expect([4, 6].contains(fold.test.count { $0.hasPrefix("A/") }))
      #expect([1, 2].contains(fold.test.count { $0.hasPrefix("B/") }))
      let patients = fold.test.filter { $0.hasPrefix("A/") }.map { $0.dropLast(2) }
      #expect(Set(patients).count * 2 == patients.count)
    }
  }

  @Test func orderAndOtherSitesMakeNoDifference() throws {
    let a = cases("A", patients: 11)
    let folds = try Folds.make(cases: a, count: 4, seed: 3)
    #expect(try Folds.make(cases: a.reversed(), count: 4, seed: 3) == folds)
    let both = try Folds.make(cases: cases("B", patients: 9) + a, count: 4, seed: 3)
    #expect(both.folds.map { $0.test.filter { $0.hasPrefix("A/") } } == folds.folds.map(\.test))
    let others = try Set((4..<24).map { try Folds.make(cases: a, count: 4, seed: $0).folds.map(\.test) })
    #expect(others.count > 15)
  }

  @Test func sitesDoNotAllGiveTheFirstFoldsOneMore() throws {
    let sites = (0..<26).flatMap { cases("Site\($0)", patients: 4) }
    let sizes = try Folds.make(cases: sites, count: 3, seed: 1).folds.map(\.test.count)
    #expect(sizes.reduce(0, +) == 104 && sizes.allSatisfy { $0 < 45 })
  }

  @Test func aSiteMayBeLeftOut() throws {
    let all = cases("B", patients: 2) + cases("A", patients: 3)
    let folds = try Folds.leavingOneSiteOut(cases: all).folds
    #expect(folds.map(\.test) == [["A/P0S0", "A/P1S0", "A/P2S0"], ["B/P0S0", "B/P1S0"]])
    #expect(folds.map(\.train) == folds.map(\.test).reversed())
  }

  @Test func theInnerValidationComesFromTheTrainingCases() throws {
    let all = cases("A", patients: 12, scans: 2) + cases("B", patients: 5)
    for fold in try Folds.make(cases: all, count: 4, seed: 2).folds {
      let split = try Split(fold, of: all, validationFraction: 0.2, seed: 7)
      #expect(split.test == fold.test)
      #expect((split.training + split.validation).sorted() == fold.train)
      let (training, validation) = (split.training.map { $0.dropLast(2) }, split.validation.map { $0.dropLast(2) })
      #expect(Set(training).isDisjoint(with: validation))
      #expect(split.validation.contains { $0.hasPrefix("A") } && split.validation.contains { $0.hasPrefix("B") })
    }
  }

  @Test func refusesWhatCannotBeShared() {
    let all = cases("A", patients: 5) + cases("B", patients: 3) + cases("C", patients: 3)
    #expect(
      sentence { try Folds.make(cases: all, count: 5, seed: 1) }
        == "B has 3 patients, fewer than the 5 folds; give --folds 3 or fewer.")
    #expect(
      sentence { try Folds.make(cases: cases("A", patients: 1), count: 2, seed: 1) }
        == "A has 1 patient, fewer than the 2 folds; leave the site out.")
    #expect(
      sentence { try Folds.make(cases: all, count: 1, seed: 1) }
        == "--folds is 1; give at least 2, so that each fold leaves cases to train on.")
    #expect(
      sentence { try Folds.leavingOneSiteOut(cases: cases("A", patients: 5)) }
        == "There is a single site, A, and leaving it out leaves nothing to train on; give a data set of at least 2 sites, "
        + "or use cross-validate.")
  }
}
