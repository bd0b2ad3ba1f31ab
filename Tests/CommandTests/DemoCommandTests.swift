import Foundation
import Testing

@Suite struct DemoCommandTests {
  let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  @Test func printsATableOfFourSitesAndCanBeRunAgain() throws {
    let output = folder.file("demo")
    let arguments = ["demo", "--iterations", "2,2", "--cases", "2", "--output", output.path, "--quiet"]
    try interrupt(arguments, output)
    try Data("left over".utf8).write(to: output.appendingPathComponent("data/notes.txt"))
    let result = try dualnorm(arguments)
    #expect(result.status == 0 && result.errors == "")
    let rows = result.output.split(separator: "\n")
    #expect(rows[0].split(separator: " ") == ["Dice", "ASSD", "mm", "wrong"])
    #expect(rows[1].hasPrefix("site             cases  first  final  final+adapt"))
    for (row, site) in zip(rows[2...], ["Site-A ", "Site-B ", "Site-C ", "Site-D (unseen) ", "mean of 3 sites "]) {
      #expect(row.hasPrefix(site))
    }
    for path in ["run/model.safetensors", "evaluation/sheet.png", "evaluation/predictions/Site-D/Case02.nii.gz"] {
      #expect(contents(of: output).contains(path))
    }
    #expect(!contents(of: output).contains("data/notes.txt"))
  }

  /// Without a dual stage the network has one pass.
  @Test func theOnlyPass() throws {
    let result = try dualnorm(
      ["demo", "--iterations", "2,0", "--cases", "2", "--output", folder.file("demo").path, "--quiet"])
    #expect(result.status == 0, "\(result.errors)")
    let rows = result.output.split(separator: "\n")
    #expect(
      rows[1].split(separator: " ") == ["site", "cases"] + Array(repeating: ["only", "only+adapt"], count: 3).joined())
    #expect(rows.last?.hasPrefix("only+adapt: with batch statistics") == true)
  }

  /// A demo of less than half the length supports README's claim on the hospital unlike the training hospitals.
  @Test func adaptationHelpsAtTheUnseenSite() throws {
    let result = try dualnorm(["demo", "--iterations", "200,100", "--output", folder.file("demo").path, "--quiet"])
    #expect(result.status == 0 && result.errors == "")
    let row = try #require(result.output.split(separator: "\n").first { $0.hasPrefix("Site-D (unseen)") })
    let dice = row.split(separator: " ").dropFirst(3).prefix(3).compactMap { Double($0) }
    try #require(dice.count == 3)
    #expect(dice[2] > dice[0] + 0.01 && dice[2] > dice[1] + 0.01, "\(row)")
  }

  private func interrupt(_ arguments: [String], _ output: URL) throws {
    let command = try RunningCommand(arguments)
    while command.isRunning, !contents(of: output).contains("run/config.yaml") { usleep(1000) }
    command.interrupt()
    let result = try command.finish()
    #expect(result.status == 130 && result.output == "")
    #expect(result.errors == "Stopped; continue with: dualnorm train --resume \(output.path)/run\n")
  }

  @Test func refusesTheFolderOfSomebodyElse() throws {
    try Data("mine".utf8).write(to: folder.file("notes.txt"))
    try expectRefusal(
      "\(folder.path): is not empty; give a new folder for --output, or delete this one first.",
      of: ["demo", "--output", folder.path])
    #expect(contents(of: folder.url) == ["notes.txt"])
  }
}
