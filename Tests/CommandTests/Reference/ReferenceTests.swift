import Foundation
import Testing

@testable import DualNorm
@testable import DualNormCLI

/// The program's descriptions are complete and true, and `docs/reference.md` agrees with them.
@Suite struct ReferenceTests {
  private let program: CommandInfo
  private let keys: [ConfigurationKey]

  private static let docs = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent().deletingLastPathComponent().appendingPathComponent("docs")

  init() throws {
    program = try CommandInfo.dualnorm.get()
    keys = try ConfigurationKey.all()
  }

  private var trainOptions: [ArgumentInfo] { program.verbs.first { $0.path == "dualnorm train" }?.ownArguments ?? [] }

  private func option(_ name: String) -> ArgumentInfo? { trainOptions.first { $0.preferredName?.name == name } }

  @Test func pageIsWhatTheCodeSays() throws {
    let page = Self.docs.appendingPathComponent("reference.md")
    let made = ReferencePage(program: program, keys: keys).text
    if ProcessInfo.processInfo.environment["DUALNORM_WRITE_REFERENCE"] == "1" {
      try made.write(to: page, atomically: true, encoding: .utf8)
    }
    let written = try String(contentsOf: page, encoding: .utf8)
    let differing = zip(written.components(separatedBy: "\n"), made.components(separatedBy: "\n")).first { $0 != $1 }
    let isCurrent = written == made
    #expect(
      isCurrent,
      "docs/reference.md is not what the code says (\(differing?.0 ?? "its end")); run make reference and commit it")
  }

  @Test func linksOfThePageLeadToPages() throws {
    for link in ReferencePage(program: program, keys: keys).text.matches(of: /\]\(([a-z-]+\.md)\)/) {
      let page = Self.docs.appendingPathComponent(String(link.output.1))
      #expect(FileManager.default.fileExists(atPath: page.path), "\(link.output.1)")
    }
  }

  @Test func everyPageIsListedInTheReadme() throws {
    let readme = try String(
      contentsOf: Self.docs.deletingLastPathComponent().appendingPathComponent("README.md"), encoding: .utf8)
    let list = try #require(readme.components(separatedBy: "\n## Documentation\n").last)
    for page in try FileManager.default.contentsOfDirectory(atPath: Self.docs.path) where page.hasSuffix(".md") {
      #expect(list.contains("](docs/\(page))"), "README.md does not list docs/\(page) under Documentation")
    }
  }

  @Test func everyVerbHasAnExampleThatIsUnderstood() throws {
    #expect(program.verbs.count > 12)
    for verb in program.verbs {
      #expect(!verb.examples.isEmpty, "\(verb.path) --help has no example")
      for example in verb.examples {
        #expect(example.hasPrefix(verb.path + " "))
        let words = example.split(separator: " ").dropFirst().map(String.init)
        #expect(throws: Never.self, "\(example)") { try DualNormCommand.parseAsRoot(words) }
      }
    }
  }

  @Test func everyArgumentIsExplained() {
    for verb in program.verbs {
      for argument in verb.ownArguments {
        #expect(!argument.purpose.isEmpty, "\(verb.path) \(argument.preferredName?.typed ?? "")")
      }
    }
  }

  /// Shells complete paths for arguments that take a path.
  @Test func argumentsThatTakePathsAreCompleted() {
    let folders: Set = ["dir", "run", "evaluation", "experiment"]
    for verb in program.verbs {
      for argument in verb.ownArguments where argument.kind != .flag {
        let parts = Set((argument.valueName ?? "").split(separator: "|").map(String.init))
        let name = "\(verb.path) \(argument.preferredName?.typed ?? argument.valueName ?? "")"
        #expect((argument.completionKind?.file != nil) == parts.contains("file"), "\(name)")
        let takesFolders = !parts.isEmpty && parts.isSubset(of: folders)
        #expect((argument.completionKind?.directory != nil) == takesFolders, "\(name)")
      }
    }
  }

  @Test func keysOfTheFileAreOptionsOfTrain() {
    let notInFile: Set = ["output", "resume", "config", "time", "log-format", "quiet", "verbose"]
    let options = Set(trainOptions.compactMap { $0.preferredName?.name })
    #expect(Set(keys.map(\.name)) == options.subtracting(notInFile))
    #expect(keys.allSatisfy { !$0.type.isEmpty })
  }

  @Test func examplesOfKeysAreRead() throws {
    let folder = try TemporaryFolder()
    let file = folder.file("options.yaml")
    for key in keys {
      try Data("\(key.name): \(key.example)\n".utf8).write(to: file)
      #expect(throws: Never.self, "\(key.name)") { try TrainingConfiguration(yaml: file) }
    }
  }

  /// The help names defaults of the standard recipe in words; the test compares them with the recipe's values.
  @Test func defaultsThatTheHelpNamesAreTheRecipes() throws {
    for key in keys {
      guard let said = option(key.name)?.standard, let value = key.values[.standard] else { continue }
      let words = value.trimmingCharacters(in: ["[", "]"]).replacingOccurrences(of: ", ", with: ",")
      let meant =
        key.name == "augmentation" ? PartList(argument: said)?.parts.map(\.rawValue).joined(separator: ",") : said
      #expect(meant == (["false": "off", "true": "on"][words] ?? words), "--\(key.name)")
    }
  }
}
