import Foundation
import Testing

@Suite struct ExperimentRefusalTests {
  let folder: TemporaryFolder
  private var output: String { folder.file("output").path }

  init() throws { folder = try TemporaryFolder() }

  private func refuse(
    _ sentence: String, status: Int32 = 1, _ verb: String, _ options: String...,
    location: SourceLocation = #_sourceLocation
  ) throws {
    let given = ["--data", try Tiny.data.path, "--output", output]
    let methods = options.contains("--methods") ? [] : ["--methods", "bn"]
    try expectRefusal(sentence, status: status, of: ["experiment", verb] + given + methods + options, location)
    #expect(!FileManager.default.fileExists(atPath: output))
  }

  @Test func unknownNames() throws {
    let data = try Tiny.data.path
    try refuse(
      "--methods: the method \"daul\" is unknown; the nearest is \"dual\" (NORM[+dual][+measured][+hard][+reference or "
        + "+uniform], where NORM is bn, in, gn, ln, dsbn).", "leave-one-site-out", "--methods", "bn,daul")
    try refuse(
      "--sites: there is no site \"Site-D\" in \(data); the nearest is \"Site-A\" of Site-A and Site-B.",
      "matrix", "--sites", "Site-A,Site-D")
    try refuse(
      "--baseline in is none of the methods bn, dual; name one of them.", "leave-one-site-out", "--methods", "bn,dual",
      "--baseline", "in")
  }

  @Test func foldsThatCannotBe() throws {
    try refuse("Site-A has 3 patients, fewer than the 5 folds; give --folds 3 or fewer.", "cross-validate")
    let file = folder.file("splits_final.json")
    let lists =
      #"[{"train": ["Site-A/Case00"], "val": ["Site-A/Case01"]}, {"train": ["Site-A/Case00"], "val": ["Site-A/Case01"]}]"#
    try Data(lists.utf8).write(to: file)
    try refuse(
      "\(file.path): patient Case01 of Site-A is in val of fold 0 and of fold 1; test each patient in one fold.",
      "cross-validate", "--splits", file.path)
    try refuse(
      "--splits brings folds of its own; leave --folds out.", "cross-validate", "--splits", file.path, "--folds", "2")
    try refuse(
      "There is a single site, Site-A, and leaving it out leaves nothing to train on; give a data set of at least 2 sites, "
        + "or use cross-validate.", "leave-one-site-out", "--sites", "Site-A")
    try refuse(
      "There is a single site, Site-B, and a matrix compares sites; give a data set of at least 2, or use cross-validate.",
      "matrix", "--sites", "Site-B")
  }

  @Test func optionsThatMethodsName() throws {
    try refuse(
      "--norm is part of what --methods names, such as dual+measured; leave it out.", status: 64, "matrix", "--norm",
      "in")
    try refuse("--jobs is 0; give 1 to 64.", status: 64, "matrix", "--jobs", "0")
    try refuse(
      "The method dual needs dual blocks, and --dual-blocks is none; name blocks or leave it out.", "matrix",
      "--methods",
      "bn,dual", "--dual-blocks", "none")
    try refuse("--fold has no say in an experiment; leave it out.", "cross-validate", "--fold", "1")
  }

  /// A saved configuration, which holds all options, is accepted.
  @Test func optionsOfMethodsInAFile() throws {
    let file = folder.file("options.yaml")
    for line in ["norm: in", "mask: hard", "mask-source: uniform", "local-statistics: measured"] {
      try Data("width: 2\n\(line)\n".utf8).write(to: file)
      let option = line.prefix { $0 != ":" }
      try refuse(
        "\(file.path): \(option) is part of what --methods names, such as dual+measured; leave it out.", "matrix",
        "--config", file.path)
    }
    try Data("norm: bn\nmask: soft\n".utf8).write(to: file)
    try refuse("--fold has no say in an experiment; leave it out.", "matrix", "--config", file.path, "--fold", "1")
  }

  @Test func foldersThatHoldSomethingElse() throws {
    try Data("mine".utf8).write(to: folder.file("notes.txt"))
    try expectRefusal(
      "\(folder.path): is not empty; give a new folder for --output, or delete this one first.",
      of: ["experiment", "matrix", "--data", Tiny.data.path, "--methods", "bn", "--output", folder.path])
    try expectRefusal(
      "\(folder.path): has no experiment.yaml, so no experiment was started there; check the folder.",
      of: ["experiment", "table", folder.path])
    try expectRefusal(
      "--metric hd9_mm is not in the results; the nearest is hd95_mm of dice, assd_mm, hd95_mm, hausdorff_mm, nsd_1mm and "
        + "nsd_2mm.", of: ["experiment", "table", TinyExperiment.finished.path, "--metric", "hd9_mm"])
    try expectRefusal(
      "\(try TinyExperiment.finished.path): its experiment has --width 2, not 3; give the same options to go on, or another "
        + "--output.", of: TinyExperiment.arguments(TinyExperiment.finished, "--width", "3"))
  }
}
