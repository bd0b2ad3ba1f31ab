import Foundation
import Testing

@testable import Basics
@testable import DualNorm

@Suite struct ReportCommandTests {
  let folder: TemporaryFolder
  private var file: URL { folder.file("report.html") }

  init() throws { folder = try TemporaryFolder() }

  /// Makes the page of a folder, and expects it to be well formed, self-contained and the same each time.
  private func page(of url: URL, _ options: String..., notices: String = "") throws -> ParsedPage {
    let arguments = ["report", url.path, "--output", file.path, "--threads", "1"] + options
    let result = try dualnorm(arguments)
    #expect(result.status == 0 && result.output == "")
    let bytes = try Data(contentsOf: file)
    // Warnings on doubtful numbers may stand between.
    #expect(messagesBesideWarnings(result.errors).hasPrefix(notices))
    #expect(
      result.errors.hasSuffix("Wrote \(file.path) (\(String(format: "%.1f", Double(bytes.count) / 1e6)) MB).\n"))
    #expect(try messagesBesideWarnings(dualnorm(arguments + ["--quiet"]).errors) == "")
    #expect(try Data(contentsOf: file) == bytes)
    #expect(bytes.count < 10_000_000)
    return try ParsedPage(bytes)
  }

  private func evaluate(_ run: URL, _ data: URL) throws -> URL {
    let output = folder.file("evaluation")
    let result = try dualnorm(
      "evaluate", "--model", run.path, "--data", data.path, "--output", output.path, "--threads", "1", "--split", "all",
      "--quiet")
    #expect(result.status == 0 && messagesBesideWarnings(result.errors) == "")
    return output
  }

  @Test func aRun() throws {
    let page = try page(of: Tiny.run)
    #expect(page.sections == ["what", "data", "curves", "maps", "options"])
    let log = try String(contentsOf: RunFolder(Tiny.run).log, encoding: .utf8).split(separator: "\n").dropFirst()
    // The first pass has every iteration, the final pass those of the dual stage.
    #expect(page.pointCounts(ofClass: "line c0 faint") == [60, 60])
    #expect(page.pointCounts(ofClass: "line c1 faint") == [60])
    #expect(log.count == 120)
    // The learning rate has every iteration, validation of two sites and their mean only some.
    #expect(page.pointCounts(ofClass: "line c2") == [60, 60])
    #expect(page.pointCounts(ofClass: "line c6") == [3, 3])
    #expect(
      page.text.contains(
        "width 4, 3 channels in, 3 classes out, norm bn, deep supervision, dual blocks inc down1 down2 down3"))
    #expect(page.text.contains("# Written by dualnorm \(programVersion)"))
    // For each of eight dual layers, the mean of γ and β and the channel that varies most.
    #expect(page.pictures.count == 33)
  }

  @Test func anEvaluation() throws {
    let evaluation = try evaluate(Tiny.run, Tiny.data)
    let page = try page(of: evaluation)
    #expect(page.sections == ["what", "scores", "boxes", "cases", "maps", "training", "data", "curves", "options"])
    #expect(page.count("article", class: "browser") == 6)
    #expect(page.count("section", class: "slice start") == 6)
    for title in ["Worst: Site-A/Case0", "Median: Site-B/Case0", "Best: Site-B/Case0"] {
      #expect(page.text.contains(title))
    }
    for part in ["image", "truth", "first pass", "final pass", "difference"] { #expect(page.text.contains(part)) }
    let sheet = evaluation.appendingPathComponent("sheet.png")
    for title in ["first pass", "final pass"] { #expect(try isTitled(title, sheet)) }
    #expect(page.text.contains("a miss or a false alarm is 0, both empty is undefined"))
    #expect(page.text.contains("dualnorm evaluate --model \(try Tiny.run.path) --data \(try Tiny.data.path)"))
    let scores = try String(contentsOf: evaluation.appendingPathComponent("scores.csv"), encoding: .utf8)
    #expect(scores.contains("Site-A,Case00,training,final,1,1,label 1,"))
    #expect(page.text.contains("Scores by site and pass, mean of the classes, as DualNorm defines them"))
    try withoutItsData(evaluation)
  }

  /// A network without dual norms has no first pass, as it has no final one; files keep its name.
  @Test(arguments: [[], ["--adapt", "case"]]) func theOnlyPass(options: [String]) throws {
    let (run, evaluation) = (folder.file("plain"), folder.file("evaluation"))
    // Without a dual stage, a network stays plain whatever its dual blocks.
    let plain = options.isEmpty ? ["--dual-blocks", "none"] : ["--iterations", "2,0"]
    let trained = try dualnorm(
      ["train", "--data", Tiny.data.path, "--output", run.path]
        + Tiny.quick.filter { options.isEmpty || !["--iterations", "2,2"].contains($0) } + plain)
    #expect(trained.status == 0, "\(trained.errors)")
    let evaluated = try dualnorm(
      [
        "evaluate", "--model", run.path, "--data", Tiny.data.path, "--output", evaluation.path, "--threads", "1",
        "--split", "all", "--quiet",
      ] + options)
    #expect(evaluated.status == 0, "\(evaluated.errors)")
    let page = try page(of: evaluation)
    for part in ["Dice of the only pass", "By the Dice of the only pass", "Loss of the only pass"] {
      #expect(page.text.contains(part), "\(part)")
    }
    #expect(page.text.contains("Scores by site and pass") != options.isEmpty)
    #expect(page.text.contains("only+adapt") != options.isEmpty)
    let html = try String(contentsOf: file, encoding: .utf8)
    #expect(html.contains("<figcaption>only pass</figcaption>") && html.contains("only pass outlined over the truth"))
    for part in ["first pass", "first+adapt", ">first<", "each pass"] { #expect(!html.contains(part), "\(part)") }
    let scores = try String(contentsOf: evaluation.appendingPathComponent("scores.csv"), encoding: .utf8)
    #expect(scores.contains(",first,") && !scores.contains("only"))
    #expect(try self.page(of: run).text.contains("Loss of the only pass"))
    #expect(evaluated.output.contains("  only+adapt  ") != options.isEmpty && !evaluated.output.contains(" first"))
    try picturesNameTheOnlyPass(run, evaluation)
  }

  private func picturesNameTheOnlyPass(_ run: URL, _ evaluation: URL) throws {
    let predicted = try dualnorm(
      "predict", "--model", run.path, "--input", Tiny.data.appendingPathComponent("Site-A/Case01.nii.gz").path,
      "--output", folder.file("mask.nii.gz").path, "--preview", "--first-pass", "--threads", "1", "--quiet")
    #expect(predicted.status == 0, "\(predicted.errors)")
    // The last picture of the training.
    let events = RunFolder(run).events
    let file = try #require(contents(of: events).last)
    let data = try Data(contentsOf: events.appendingPathComponent(file))
    let start = try #require(data.lastRange(of: Data([0x89, 0x50, 0x4E, 0x47]))).lowerBound
    let end = try #require(data.range(of: Data("IEND".utf8), in: start..<data.endIndex)).upperBound
    try data[start..<end + 4].write(to: folder.file("training.png"))
    let pictures = [evaluation.appendingPathComponent("sheet.png"), folder.file("mask_preview.png")]
    for png in pictures + [folder.file("training.png")] {
      #expect(try isTitled("only pass", png), "\(png.path)")
      for title in ["first pass", "final pass"] { #expect(try !isTitled(title, png), "\(png.path)") }
    }
  }

  @Test func aSiteThatTheModelHasNotSeenIsMarked() throws {
    let evaluation = try Unseen.evaluation(in: folder)
    #expect(evaluation.output.contains("Site-X (unseen)  label 1") && !evaluation.output.contains("Site-A (unseen)"))
    let page = try page(of: evaluation.folder)
    #expect(page.text.contains("Site-X (unseen)") && !page.text.contains("Site-A (unseen)"))
    let html = try String(contentsOf: file, encoding: .utf8)
    for place in ["<h3>Site-X (unseen)</h3>", "<th scope=\"row\">Site-X (unseen)</th>", "<dd>Site-X</dd>"] {
      #expect(html.contains(place), "\(place)")
    }
    #expect(html.contains("class=\"group\"") && html.contains(">Site-X (unseen)"))
    // Scores from a program that did not mark them.
    let scores = evaluation.folder.appendingPathComponent("scores.json")
    let old = try String(contentsOf: scores, encoding: .utf8).replacing(
      #/  "unseenSites" : \[\s*"Site-X"\s*\],?\n?/#, with: "")
    try Data(old.utf8).write(to: scores)
    #expect(try self.page(of: evaluation.folder).text.contains("Site-X (unseen)"))
  }

  /// The page reports missing data; command line options replace recorded values.
  private func withoutItsData(_ evaluation: URL) throws {
    let name = evaluation.appendingPathComponent("evaluation.json")
    let record = try String(contentsOf: name, encoding: .utf8)
    let (data, run) = try (Tiny.data.path, Tiny.run.path)
    let changed = record.replacingOccurrences(of: data, with: "/gone/data").replacingOccurrences(
      of: run, with: "/gone/run")
    try Data(changed.utf8).write(to: name)
    let notice =
      "The model is no longer at /gone/run, so its training is not shown; say where its run folder is with --model.\n"
    let page = try page(of: evaluation, notices: notice)
    #expect(page.sections == ["what", "scores", "boxes", "cases", "maps"])
    #expect(page.pictures.isEmpty)
    #expect(
      page.text.contains(
        "There are no pictures, since the images cannot be read from /gone/data; say where they are with --data."))
    let whole = try self.page(of: evaluation, "--data", data, "--model", run)
    #expect(whole.count("article", class: "browser") == 6 && whole.sections.contains("curves"))
    try FileManager.default.removeItem(at: evaluation.appendingPathComponent("scores.json"))
    let unfinished = try self.page(
      of: evaluation,
      notices:
        "The evaluation is not finished: there are no scores, and masks of 6 of 6 cases. Evaluate again into a new "
        + "folder.\n" + notice)
    #expect(unfinished.sections == ["what"])
  }

  /// A page omits the pictures of a case whose image was damaged since.
  @Test func anEvaluationOfWhatIsNowDamaged() throws {
    let data = try Tiny.copyOfData(to: folder.file("data"))
    let evaluation = try evaluate(Tiny.run, data)
    for site in ["Site-A", "Site-B"] {
      let image = data.appendingPathComponent("\(site)/Case01.nii.gz")
      try Data(contentsOf: image).prefix(1000).write(to: image)
    }
    let page = try page(of: evaluation)
    #expect(page.count("article", class: "browser") == 4)
    #expect(page.text.contains(#/Site-B/Case01, the (worst|median|best) case: \S*/data/Site-B/Case01.nii.gz: /#))
  }

  /// Names must be escaped; a browser would run the first of them as a script.
  @Test func namesAreEscaped() throws {
    let strange = ["<script>alert(1)<&>\"'", "b&amp;<b>", "c'\" onload=\"x"]
    let data = folder.file("Dataset")
    for (folder, ending) in [("imagesTr", ""), ("labelsTr", "_segmentation")] {
      for (index, name) in strange.enumerated() {
        let source = try Tiny.data.appendingPathComponent("Site-A/Case0\(index)\(ending).nii.gz")
        let target = data.appendingPathComponent("\(folder)/\(name.replacingOccurrences(of: "/", with: "-")).nii.gz")
        try FileManager.default.createDirectory(
          at: target.deletingLastPathComponent(), withIntermediateDirectories: true)
        try FileManager.default.copyItem(at: source, to: target)
      }
    }
    let labels = #"{"labels": {"background": 0, "<img src=x onerror=alert(2)>": 1, "a&b": 2}}"#
    try Data(labels.utf8).write(to: data.appendingPathComponent("dataset.json"))
    let run = folder.file("run")
    #expect(try dualnorm(["train", "--data", data.path, "--output", run.path] + Tiny.quick).status == 0)
    let page = try page(of: evaluate(run, data))
    #expect(page.count("script") == 1 && page.count("style") == 1)
    #expect(page.elements.allSatisfy { element in !element.attributes.keys.contains { $0.hasPrefix("on") } })
    #expect(page.text.contains("<img src=x onerror=alert(2)>") && page.text.contains("a&b"))
    for name in strange { #expect(page.text.contains(name)) }
  }

  @Test(.endsSomeTime) func anExperiment() throws {
    let experiment = try TinyExperiment.finished
    let whole = try page(of: experiment)
    #expect(whole.sections == ["what", "dice", "boxes", "more", "cells", "data", "options"])
    #expect(whole.text.contains("Comparison with bn") && whole.text.contains("4 of 4"))
    #expect(whole.text.contains("bn (only)") && whole.text.contains("passes: only, first and final"))
    let (copy, cell) = (folder.file("copy"), "cells/bn/Site-A/seed-1")
    try FileManager.default.copyItem(at: experiment, to: copy)
    try FileManager.default.removeItem(at: copy.appendingPathComponent("\(cell)/results.csv"))
    let partial = try page(
      of: copy,
      notices: "The experiment is not finished: 1 of 4 networks are missing, bn/Site-A/seed-1. The command of the "
        + "experiment goes on with it.\n")
    #expect(partial.text.contains("3 of 4"))
    // A cell is a run, and its test an evaluation.
    #expect(try page(of: copy.appendingPathComponent(cell)).sections.contains("curves"))
    let tested = try page(of: copy.appendingPathComponent("\(cell)/evaluation"))
    #expect(tested.text.contains("its masks were not kept") && tested.text.contains("has no dual blocks"))
    let dual = try page(of: copy.appendingPathComponent("cells/dual/Site-A/seed-1/evaluation"))
    #expect(dual.pictures.count == 33)
    for name in ["facts.json", "cells"] { try FileManager.default.removeItem(at: copy.appendingPathComponent(name)) }
    let begun = try page(
      of: copy,
      notices: "The experiment is not finished: it was stopped before its data were checked. The command of the "
        + "experiment goes on with it.\n")
    #expect(begun.sections == ["what", "options"])
  }

  @Test func anUnfinishedAndAnImportedRun() throws {
    let run = folder.file("run")
    try FileManager.default.copyItem(at: Tiny.run, to: run)
    try FileManager.default.removeItem(at: RunFolder(run).model)
    let log = try String(contentsOf: RunFolder(run).log, encoding: .utf8).split(separator: "\n")
    try Data((log[...50].joined(separator: "\n") + "\nplain,51,0.0").utf8).write(to: RunFolder(run).log)
    let page = try page(
      of: run,
      notices:
        "The training is not finished: 50 of 120 iterations are in its log. It goes on with dualnorm train --resume "
        + "\(run.path).\n")
    #expect(page.pointCounts(ofClass: "line c0 faint") == [50] && page.pictures.isEmpty)
    let imported = folder.file("imported")
    #expect(
      try dualnorm(
        "import", fixtures.appendingPathComponent("commands/reference.pth").path, "--output", imported.path, "--quiet"
      ).status == 0)
    let weights = try self.page(of: imported)
    #expect(weights.sections == ["what", "maps"])
    #expect(weights.text.contains("there is no training in this folder"))
  }

  /// Checks the script's effects in a browser, if there is one.
  @Test(.enabled(if: chromium != nil, "needs chromium"), .endsSomeTime) func aBrowserShowsASliceAtATime()
    throws
  {
    let evaluation = try evaluate(Tiny.run, Tiny.data)
    _ = try page(of: evaluation)
    let process = Process()
    process.executableURL = chromium
    process.arguments = [
      "--headless", "--no-sandbox", "--disable-gpu", "--user-data-dir=\(folder.file("chromium").path)", "--dump-dom",
      file.absoluteString,
    ]
    let dump = folder.file("dump.html")
    try Data().write(to: dump)
    process.standardOutput = try FileHandle(forWritingTo: dump)
    process.standardError = FileHandle.nullDevice
    try process.run()
    process.waitUntilExit()
    let shown = try String(contentsOf: dump, encoding: .utf8)
    #expect(shown.components(separatedBy: "class=\"browser live\"").count == 7)
    let slices = shown.matches(of: /<section class="slice[^>]*>/).map { String($0.0) }
    #expect(slices.count { !$0.contains("hidden") } == 6)
    #expect(slices.allSatisfy { $0.contains("start") != $0.contains("hidden") })
  }
}

private let chromium = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"]
  .first(where: FileManager.default.isExecutableFile).map { URL(fileURLWithPath: $0) }
