import Basics
import CTestStart
import Testing

@testable import DualNormCLI

/// Gives the tests the words of the command line, before the first of them begins.
@_cdecl("dualnorm_tests_start") func startTests() { Wording.current = .commandLine }

/// The settings and verbs that sentences of the libraries refer to are those of the program.
@Suite struct SettingTests {
  @Test func everySettingIsAnOption() throws {
    let verbs = try CommandInfo.dualnorm.get().verbs
    let options = Set(verbs.flatMap { $0.arguments ?? [] }.flatMap { $0.names ?? [] }.map(\.typed))
    for setting in Setting.allCases { #expect(options.contains("\(setting)"), "\(setting)") }
  }

  @Test func everyVerbIsACommand() throws {
    let verbs = try CommandInfo.dualnorm.get().verbs.map(\.path)
    for verb in Verb.allCases { #expect(verbs.contains("\(verb)"), "\(verb)") }
  }

  @Test func theFrontEndWordsThem() {
    #expect("\(Setting.holdOut) is 0" == "--hold-out is 0" && Setting.initial.words("a.pth") == ["--init", "a.pth"])
    #expect("\(Verb.check) \(Setting.fix)" == "dualnorm check --fix")
    #expect(Wording.plain.setting(.holdOut) == "hold-out" && Wording.plain.verb(.check) == ["check"])
  }
}
