import Foundation
import Testing

@Suite struct DemoCommandTests {
  let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  @Test func printsATableOfFourSitesAndCanBeRunAgain() throws {
    let output = folder.file("demo")
    let arguments = ["demo", "--iterations", "2,2", "--cases", "2", "--output", output.path, "--quiet"]
    let first = try dualnorm(arguments)
    #expect(first.status == 0 && first.errors == "")
    let rows = first.output.split(separator: "\n")
    #expect(rows[0].hasPrefix("site             cases  Dice, first  Dice, final  ASSD mm, first  ASSD mm, final"))
    for (row, site) in zip(rows[1...], ["Site-A ", "Site-B ", "Site-C ", "Site-D (unseen) ", "mean of 3 sites "]) {
      #expect(row.hasPrefix(site))
    }
    for path in ["run/model.safetensors", "evaluation/sheet.png", "evaluation/predictions/Site-D/Case02.nii.gz"] {
      #expect(contents(of: output).contains(path))
    }
    try Data("left over".utf8).write(to: output.appendingPathComponent("data/notes.txt"))
    let second = try dualnorm(arguments)
    #expect(second.status == 0 && second.errors == "")
    #expect(second.output == first.output)
    #expect(!contents(of: output).contains("data/notes.txt"))
  }

  @Test func refusesTheFolderOfSomebodyElse() throws {
    try Data("mine".utf8).write(to: folder.file("notes.txt"))
    try expectRefusal(
      "\(folder.path): is not empty; give a new folder for --output, or delete this one first.",
      of: ["demo", "--output", folder.path])
    #expect(contents(of: folder.url) == ["notes.txt"])
  }
}
