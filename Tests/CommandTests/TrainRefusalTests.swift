import Foundation
import Testing

/// Options and folders that training refuses.
@Suite struct TrainRefusalTests {
  let folder: TemporaryFolder
  private var run: String { folder.file("run").path }

  init() throws { folder = try TemporaryFolder() }

  @Test(arguments: [
    ("--width 0", "The width is 0; choose 1 to 1024."),
    ("--memory inf", "--memory is inf; give gigabytes above 0, such as 8."),
    ("--memory 0", "--memory is 0.0; give gigabytes above 0, such as 8."),
    (
      "--memory 0.00001",
      "--memory is 1e-05 GB, and preparing Site-A/Case00 alone takes 4.9e-05 GB; give at least that."
    ),
    ("--norm gn", "Group norm works on 16 groups, so the width must be a multiple of it, not 4."),
    ("--context 2", "--context is 2; give an odd number of slices from 1 to 15, so that there is a middle one."),
    (
      "--iterations 5",
      "--iterations is 5; give two numbers, of the plain and of the dual stage, for example 4000,2000 (0 skips a stage)."
    ),
    (
      "--iterations 0,0",
      "--iterations is 0,0; give two numbers, of the plain and of the dual stage, for example 4000,2000 (0 skips a stage)."
    ),
    (
      "--iterations 0,2 --dual-blocks none",
      "--iterations is 0,2 and there are no dual blocks, so no stage is left; give the plain stage iterations."
    ),
    ("--dual-blocks inc,inc", "The dual block inc is named twice; name each block once."),
    (
      "--reduction 9", "The reduction is 9; choose 1 to the width, 4, so that a dual layer keeps a hidden channel."
    ),
    ("--size 30,32", "The network's size 30×32 must be multiples of 16 from 16 to 4096, such as 32×32."),
    (
      "--size 32",
      "--size is 32; give two numbers, height and width in pixels, for example 384,384, or three, depth first."
    ),
    (
      "--size 16,16 --batch-size 1",
      "--batch-size is 1 and slices are 16×16, so batch normalization has a single value a channel at the deepest level; "
        + "give at least 2 slices a batch."
    ),
    (
      "--norm dsbn --size 16,16 --batch-size 3",
      "A batch has 3 slices of 16×16 from 2 sites, so domain-specific batch normalization has a single value a channel of "
        + "a site at the deepest level; give --batch-size 4 or more."
    ),
    ("--spacing 0,1", "The spacing 0.0×1.0 mm must lie between 0.001 and 1000 mm, such as 0.625×0.625."),
    ("--spacing 2,2 --resample-size 32,32", "--spacing and --resample-size exclude each other; give one of them."),
    ("--window 9,3", "The window 9.0 to 3.0 must go from a lower to a higher intensity, such as -125 to 275."),
    ("--batch-size 0", "--batch-size is 0; give 1 to 100000 slices."),
    ("--learning-rate 0", "--learning-rate is 0.0; give a number above 0, up to 1."),
    ("--learning-rate nan", "--learning-rate is nan; give a number above 0, up to 1."),
    ("--zoom 0.5", "--zoom is 0.5; give the largest magnification, from 1 to 4."),
    ("--validate-every 0", "--validate-every is 0; give at least 1 iteration."),
    ("--merge-labels 1", "--merge-labels is 1; give two or more different labels above 0."),
    ("--merge-labels 1,7", "--merge-labels 1,7: label 7 does not occur; the data's labels are 1 and 2."),
    (
      "--hold-out 0.9",
      "The validation fraction 0.15 and the test fraction 0.9 must be at least 0 and their sum below 1."
    ),
  ])
  func refusesOptions(options: String, sentence: String) throws {
    try expectRefusal(
      sentence,
      of: ["train", "--data", Tiny.data.path, "--output", run] + Tiny.quick
        + options.split(separator: " ").map(String.init))
    #expect(contents(of: folder.url) == [])
  }

  @Test(arguments: [
    (
      "--norm xx",
      "The value 'xx' is invalid for '--norm <norm>'. Please provide one of 'bn', 'in', 'gn', 'ln' or 'dsbn'."
    ),
    (
      "--mask-source truth",
      "The value 'truth' is invalid for '--mask-source <mask-source>'. Please provide one of 'prediction', 'reference' or 'uniform'."
    ),
    (
      "--local-statistics own",
      "The value 'own' is invalid for '--local-statistics <local-statistics>'. Please provide one of 'predicted' and 'measured'."
    ),
    ("--size big", "The value 'big' is invalid for '--size <height,width>'"),
  ])
  func refusesWords(options: String, sentence: String) throws {
    try expectRefusal(
      sentence, status: 64,
      of: ["train", "--data", Tiny.data.path, "--output", run] + options.split(separator: " ").map(String.init))
  }

  @Test func threadsAreAtLeastOne() throws {
    let result = try dualnorm(["train", "--data", Tiny.data.path, "--output", run] + Tiny.quick + ["--threads", "0"])
    #expect(result.status == 1 && result.errors.hasPrefix("Error: --threads is 0; give "))
  }

  @Test func outputMustBeNewAndWritable() throws {
    let data = try Tiny.data.path
    try Data("mine".utf8).write(to: folder.file("notes.txt"))
    try expectRefusal(
      "\(folder.path): is not empty; give a new folder for --output, or delete this one first.",
      of: ["train", "--data", data, "--output", folder.path] + Tiny.quick)
    let file = folder.file("notes.txt").path
    try expectRefusal(
      "\(file): is a file; give a folder for --output.", of: ["train", "--data", data, "--output", file] + Tiny.quick)
    try expectRefusal(
      "\(file)/run: cannot be made; give a folder for --output that you may write to.",
      of: ["train", "--data", data, "--output", file + "/run"] + Tiny.quick)
    #expect(contents(of: folder.url) == ["notes.txt"])
    #expect(try String(contentsOfFile: file, encoding: .utf8) == "mine")
  }
}
