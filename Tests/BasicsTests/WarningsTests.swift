import Foundation
import Testing

@testable import Basics

@Suite(.serialized) struct WarningsTests {
  @Test func ofManyFilesOfAKindTheFirstAreNamed() {
    let files = (1...8).map { URL(fileURLWithPath: "/none/\($0).nii") }
    func report() { for file in files { Warnings.report(file, "is odd.", kind: "that are odd") } }
    #expect(Warnings.collecting(report).warnings == files.map { "\($0.path): is odd." })
    let before = Warnings.reported.count
    report()
    report()
    #expect(
      Array(Warnings.reported[before...]) == files.prefix(5).map { "\($0.path): is odd." }
        + ["There are more files that are odd."])
  }

  @Test func aWarningCountsOnceAndBelongsToItsCollector() {
    let before = Warnings.reported
    let (value, warnings) = Warnings.collecting {
      Warnings.report("b: is odd.")
      Warnings.report("a: is odd.")
      Warnings.report("b: is odd.")
      #expect(Warnings.reported == ["b: is odd.", "a: is odd."])
      return 3
    }
    #expect(value == 3)
    #expect(warnings == ["b: is odd.", "a: is odd."])
    #expect(Warnings.reported == before)
  }

  @Test func marksThatCouldForgeATerminalsLineAreReplaced() {
    #expect(Warnings.collecting { Warnings.report("a\nb\u{202E}c") }.warnings == ["a?b?c"])
  }
}
