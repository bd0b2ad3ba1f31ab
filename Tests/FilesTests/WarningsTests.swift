import Files
import Testing

@Suite struct WarningsTests {
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
