import Foundation
import TestSupport
import Testing

@testable import Basics
@testable import Datasets
@testable import DualNorm

/// Texts made to exhaust a parser's time, memory or stack, and names that lead elsewhere.
@Suite struct HostileTextTests {
  let folder = try! ScratchFolder()

  private func refusal(ofOptions text: String) throws -> String {
    let file = try folder.file(Data(text.utf8), "options.yaml")
    var found = ""
    let taken = hang { found = sentence { try TrainingConfiguration(yaml: file) } }
    #expect(taken == nil)
    return found.replacingOccurrences(of: file.path, with: "FILE")
  }

  /// Each line repeats the previous one ten times: 10^12 words of 600 bytes.
  @Test func aliasesThatMultiply() throws {
    var text = "a0: &a0 [x]\n"
    for level in 1...12 {
      text += "a\(level): &a\(level) [" + repeatElement("*a\(level - 1)", count: 10).joined(separator: ",") + "]\n"
    }
    #expect(
      try refusal(ofOptions: text) == "FILE: has more than 12 YAML aliases (*name); write out what they stand for.")
    // The largest permitted number of aliases in the worst form, as value and as key.
    for last in ["iterations: *a4", "? *a4\n: 1"] {
      var few = "width: &a0 [1,1]\n"
      for level in 1...4 {
        few +=
          "k\(level): &a\(level) [" + repeatElement("*a\(level - 1)", count: level == 4 ? 2 : 3).joined(separator: ",")
          + "]\n"
      }
      #expect(try refusal(ofOptions: few + last + "\n") != "")
    }
  }

  @Test func textThatNests() throws {
    let deep = "FILE: may nest more than 100 levels deep; a YAML file of options has 3."
    #expect(try refusal(ofOptions: "size: " + String(repeating: "[", count: 50_000)) == deep)
    #expect(try refusal(ofOptions: String(repeating: "- ", count: 50_000) + "x") == deep)
    #expect(try refusal(ofOptions: String(repeating: "? ", count: 50_000) + "x") == deep)
    let steps = (0..<400).map { String(repeating: " ", count: $0) + "a:\n" }.joined()
    #expect(try refusal(ofOptions: steps) == deep)
    #expect(
      try refusal(ofOptions: "width: " + String(repeating: "{a: ", count: 90) + "1" + String(repeating: "}", count: 90))
        != "")
    let json = try folder.file(Data(String(repeating: "[", count: 1 << 20).utf8), "splits.json")
    var found = ""
    let taken = hang { found = sentence { try Split(contentsOf: json, cases: []) } }
    #expect(taken == nil && found.contains("is not a split"))
  }

  @Test func textThatIsLong() throws {
    #expect(
      try refusal(ofOptions: "# " + String(repeating: "x", count: 300_000))
        == "FILE: has 300002 bytes, and a YAML file of options has at most 262144; give another.")
  }

  /// The search for the nearest name takes quadratic time, and one letter can be as long as a name.
  @Test(arguments: ["x", "e\u{301}", "\u{301}", "\u{1F468}\u{200D}"]) func namesOfMegabytes(part: String) throws {
    let name = String(repeating: part, count: 3_000_000 / part.utf8.count)
    let cases = (0..<200).map { Case(name: "Case\($0)", site: "A", patient: nil, images: [], mask: nil) }
    let file = try folder.file(Data(#"[{"train": ["\#(name)"], "val": ["Case1"]}]"#.utf8), "splits_final.json")
    var found = ""
    let taken = hang { found = sentence { try Folds(contentsOf: file, cases: cases) } }
    #expect(taken == nil)
    #expect(found.hasPrefix("\(file.path), fold 0: train names"))
    #expect(found.hasSuffix("..., which is not in the data; the nearest is Case0. Correct the name or add the case."))
    #expect(found.utf8.count < 2500, "\(found.utf8.count)")
    let split = try folder.file(
      Data(#"{"training": ["\#(name)"], "validation": [], "test": []}"#.utf8), "splits.json")
    #expect(hang { found = sentence { try Split(contentsOf: split, cases: cases) } } == nil)
    #expect(found.hasSuffix("..., which is not in the data; correct the name or add the case."))
    #expect(found.utf8.count < 2500)
    #expect(hang { found = nearest(to: "Case7", among: [name, "Case8", name]) } == nil && found == "Case8")
    #expect(try refusal(ofOptions: String(name.prefix(50_000)) + ": 1").utf8.count < 2500)
  }

  @Test func theNearestName() {
    #expect(nearest(to: "kitten", among: ["sitting", "mitten", "kit", "bitten"]) == "mitten")
    #expect(nearest(to: "", among: ["ab", "a"]) == "a" && nearest(to: "x", among: []) == "")
    for (a, b, distance) in [
      ("kitten", "sitting", 3), ("", "abc", 3), ("abc", "", 3), ("flaw", "lawn", 2), ("a", "a", 0),
    ] {
      #expect(editDistance(a, b) == distance)
    }
  }

  /// Reading these would never end.
  @Test func whatIsNoFile() throws {
    let pipe = folder.url.appendingPathComponent("pipe")
    #expect(mkfifo(pipe.path, 0o600) == 0)
    for path in ["/dev/zero", pipe.path] {
      let url = URL(fileURLWithPath: path)
      var found: [String] = []
      let taken = hang {
        found = [
          sentence { try TrainingConfiguration(yaml: url) }, sentence { try Split(contentsOf: url, cases: []) },
          sentence { try Folds(contentsOf: url, cases: []) }, sentence { try DataRecipe(yaml: url) },
        ]
      }
      #expect(taken == nil)
      #expect(
        found == [
          "\(path): cannot be read as text; give a YAML file of options.",
          "\(path): cannot be read; check the path, or leave the file out to draw a new split.",
          "\(path): cannot be read; check the path of the folds.",
          "\(path): cannot be read as text; give a YAML file of options.",
        ])
    }
  }

  @Test(arguments: ["..nii.gz", "...nii.gz", ".hidden.nii.gz", "a\u{1B}[2J.nii.gz", "a\\b.nii.gz", "a\u{7F}.nii.gz"])
  func namesThatLeadElsewhere(name: String) throws {
    let data = try DataFolder()
    try data.touch("Site-A/\(name)", "Site-A/mask.nii.gz")
    try data.write("\(name),mask.nii.gz\n", to: "Site-A/all_list.txt")
    let found = sentence { try Dataset(contentsOf: data.url) }
    let stem = printable(String(name.dropLast(7)))
    #expect(
      found
        == "\(data.path): \"\(stem)\" cannot name output files; use a name of up to 200 bytes without slashes, control "
        + "characters and leading dots.", "\(found)")
    try data.write(
      #"{"labels": {"0": "b"}, "training": [{"image": "Site-A/\#(name.replacingOccurrences(of: "\\", with: "\\\\").replacingOccurrences(of: "\u{1B}", with: "\\u001b").replacingOccurrences(of: "\u{7F}", with: "\\u007f"))", "label": "Site-A/mask.nii.gz"}]}"#,
      to: "dataset.json")
    #expect(sentence { try Dataset(contentsOf: data.url) } == found)
  }

  /// A path with a zero byte names no file, though the system reads only its beginning.
  @Test func zeroBytesInPaths() throws {
    let data = try DataFolder()
    try data.touch("Site-A/a.nii.gz", "Site-A/mask.nii.gz")
    for path in ["a.nii.gz\u{0}.nii.gz", "a.nii.gz\u{0}/../../b.nii.gz", "\u{0}"] {
      try data.write("\(path),mask.nii.gz\n", to: "Site-A/all_list.txt")
      let found = sentence { try Dataset(contentsOf: data.url) }
      #expect(found != "" && !found.contains("\u{0}"), "\(found)")
    }
  }

  /// A list may have images outside the data set, but names of results stay inside.
  @Test func pathsOutsideGiveNamesInside() throws {
    let data = try DataFolder()
    try data.touch("elsewhere/x.nii.gz", "elsewhere/y.nii.gz", "data/Site-A/notes.txt")
    try data.write(
      "../../elsewhere/x.nii.gz,\(data.path)/elsewhere/y.nii.gz,../../patient\n", to: "data/Site-A/all_list.txt")
    let dataset = try Dataset(contentsOf: data.url.appendingPathComponent("data"))
    #expect(dataset.cases.map(\.identifier) == ["Site-A/x"])
    #expect(dataset.cases[0].images[0].path == "\(data.path)/elsewhere/x.nii.gz")
  }
}
