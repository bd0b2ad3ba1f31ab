import Foundation
import MedicalImaging
import Testing

@Suite struct ScoreCommandTests {
  let folder: TemporaryFolder
  var predictions: String { folder.file("predictions").path }
  var references: String { folder.file("references").path }

  /// Creates two sites with one case each: Site-A exact, Site-B with label 2 missed.
  init() throws {
    folder = try TemporaryFolder()
    let truth = labelMap([0, 1, 1, 0, 2, 2])
    try truth.write(to: folder.file("references/Site-A/Case01_segmentation.nii.gz"))
    try labelMap([9, 200, 13, 4, 5, 6]).write(to: folder.file("references/Site-A/Case01.nii.gz"))  // its image
    try truth.write(to: folder.file("references/Site-B/Case01_segmentation.nii.gz"))
    try truth.write(to: folder.file("predictions/Site-A/Case01.nii.gz"))
    try labelMap([0, 1, 0, 0, 0, 0]).write(to: folder.file("predictions/Site-B/Case01.nii.gz"))
  }

  @Test func aVolumeLargerThanTheMemory() throws {
    // The limit is per process, so the command runs in its own.
    let result = try dualnorm(
      "score", "--prediction", predictions, "--reference", references, "--memory", "1e-8")
    let sentence =
      "\(references)/Site-A/Case01_segmentation.nii.gz: its 6×1×1 voxels take 2.4e-08 GB, and a volume may take 1e-08 GB "
      + "(--memory); crop or resample it."
    #expect(result.status == 1 && result.errors == "Error: \(sentence)\n")
    try expectRefusal(
      "--memory -1.0: expected a number of gigabytes above 0.", status: 64,
      of: ["score", "--prediction", predictions, "--reference", references, "--memory=-1"])
  }

  @Test func tableCountsTheMissBesideTheMeans() throws {
    let result = try dualnorm("score", "--prediction", predictions, "--reference", references, "--tolerance", "1")
    #expect(
      result.output == """
        site             class    n  found  missed  false  empty           Dice      ASSD mm      HD95 mm       NSD 1 mm
        Site-A           label 1  1      1       0      0      0          1.000         0.00         0.00          1.000
        Site-A           label 2  1      1       0      0      0          1.000         0.00         0.00          1.000
        Site-A           mean     2      2       0      0      0          1.000         0.00         0.00          1.000
        Site-B           label 1  1      1       0      0      0          0.667         0.67         1.90          0.667
        Site-B           label 2  1      0       1      0      0          0.000            -            -          0.000
        Site-B           mean     2      1       1      0      0          0.333         0.67         1.90          0.333
        mean of 2 sites  label 1  2      2       0      0      0  0.833 ± 0.236  0.33 ± 0.47  0.95 ± 1.34  0.833 ± 0.236
        mean of 2 sites  label 2  2      1       1      0      0  0.500 ± 0.707         0.00         0.00  0.500 ± 0.707
        mean of 2 sites  mean     4      3       1      0      0  0.667 ± 0.471  0.33 ± 0.47  0.95 ± 1.34  0.667 ± 0.471
        all cases        label 1  2      2       0      0      0  0.833 ± 0.236  0.33 ± 0.47  0.95 ± 1.34  0.833 ± 0.236
        all cases        label 2  2      1       1      0      0  0.500 ± 0.707         0.00         0.00  0.500 ± 0.707
        all cases        mean     4      3       1      0      0          0.667         0.17         0.47          0.667

        Mean ± standard deviation over cases; of the mean of sites: over sites.
        1 missed and 0 false alarms count as Dice 0 and NSD 0. They have no surface distance: ASSD and HD95 are means over the found only, 3 of 4.
        Missed: Site-B/Case01 label 2.

        """)
    #expect(result.errors == "")
    #expect(result.status == 0)
  }

  @Test func likeAnotherToolSaysWhatItMakesOfTheMiss() throws {
    let result = try dualnorm(
      "score", "--prediction", predictions, "--reference", references, "--labels", "2", "--like", "transunet")
    #expect(
      result.output == """
        Scores as in TransUNet's calculate_metric_percase (--like transunet).

        site             class    n  found  missed  false  empty  transunet Dice  transunet HD95 voxels
        Site-A           label 2  1      1       0      0      0           1.000                   0.00
        Site-B           label 2  1      0       1      0      0           0.000                   0.00
        mean of 2 sites  label 2  2      1       1      0      0   0.500 ± 0.707            0.00 ± 0.00
        all cases        label 2  2      1       1      0      0   0.500 ± 0.707            0.00 ± 0.00

        Mean ± standard deviation over cases; of the mean of sites: over sites.
        1 missed: Dice 0 and HD95 0, as if its surface were perfect; both count in the means.
        Missed: Site-B/Case01 label 2.

        """)
    #expect(result.errors == "" && result.status == 0)
  }

  @Test func conventionsThatCannotBeAreRefused() throws {
    let files = ["score", "--prediction", predictions, "--reference", references]
    try expectRefusal(
      "--like medpi: there is no such convention; expected dualnorm, medpy, medpy-0.4, monai, nnunet, transunet or published; the nearest one is medpy.",
      status: 64, of: files + ["--like", "medpi"])
    try expectRefusal(
      "--tolerance 3: --like nnunet has no NSD; leave one of the two out.", status: 64,
      of: files + ["--like", "nnunet", "--tolerance", "3"])
  }

  @Test func writesCSVQuietly() throws {
    let file = folder.file("out/scores.csv")
    let result = try dualnorm(
      "score", "--prediction", predictions, "--reference", references, "--merge-labels", "1,2", "--output", file.path,
      "--quiet")
    #expect(result.output == "" && result.errors == "" && result.status == 0)
    let lines = try String(contentsOf: file, encoding: .utf8).split(separator: "\n")
    #expect(lines.count == 3)
    #expect(lines[1] == "Site-A,Case01,prediction,1,1+2,label 1+2,found,1,0,0,0,1,1,24,24")
    #expect(lines[2].hasPrefix("Site-B,Case01,prediction,1,1+2,label 1+2,found,0.4,"))
  }

  /// At 0 mm only surface voxels in both masks count: 1 of 2 in the reference, 1 of 1 in the prediction.
  @Test func aToleranceOfZeroIsExact() throws {
    let file = folder.file("zero.csv")
    let result = try dualnorm(
      "score", "--prediction", predictions, "--reference", references, "--labels", "1", "--tolerance", "0,2",
      "--output",
      file.path)
    #expect(result.status == 0 && result.output.contains("NSD 0 mm"))
    let lines = try String(contentsOf: file, encoding: .utf8).split(separator: "\n").map { $0.split(separator: ",") }
    #expect(lines[0][11...12] == ["nsd_0mm", "nsd_2mm"])
    #expect(lines[1][11...12] == ["1", "1"] && lines[2][11...12] == ["\(2.0 / 3)", "1"])
  }

  /// A mask with the values of pictures, 0 and 255, against 0 and 1.
  @Test func labelsOfAnotherKindAreNamed() throws {
    let (reference, prediction) = (folder.file("one.nii.gz"), folder.file("two.nii.gz"))
    try labelMap([0, 1, 1, 0]).write(to: reference)
    try labelMap([0, 255, 255, 0]).write(to: prediction)
    let files = ["score", "--prediction", prediction.path, "--reference", reference.path]
    let result = try dualnorm(files)
    #expect(
      result.errors
        == "Warning: The references hold 1 and the predictions 255, so no label is in common and every structure counts as missed; where both mean one structure, give --merge-labels 1,255.\n"
    )
    let merged = try dualnorm(files + ["--merge-labels", "1,255"])
    #expect(merged.errors == "" && merged.output.contains("1.000"))
  }

  /// The limit counts classes, not values in masks.
  @Test func manyLabelsAreScoredAfterMerging() throws {
    let (reference, prediction) = (folder.file("one.nii.gz"), folder.file("two.nii.gz"))
    try labelMap((0..<903).map { LabelValue($0 / 3) }).write(to: reference)  // labels 0 to 300
    try labelMap((0..<903).map { LabelValue($0 / 3 == 150 ? 151 : $0 / 3) }).write(to: prediction)
    let files = ["score", "--prediction", prediction.path, "--reference", reference.path]
    let groups = [1...150, 151...300].map { $0.map(String.init).joined(separator: ",") }
    let file = folder.file("scores.csv")
    let result = try dualnorm(
      files + groups.flatMap { ["--merge-labels", $0] } + ["--output", file.path, "--quiet"])
    #expect(result.status == 0 && result.errors == "", "\(result.errors)")
    let lines = try String(contentsOf: file, encoding: .utf8).split(separator: "\n")
    #expect(lines.count == 3 && lines[1].contains(",found,\(2.0 * 447 / 897),"), "\(lines)")
    #expect(lines.last?.contains(",found,\(2.0 * 450 / 903),") == true, "\(lines)")
    #expect(try dualnorm(files + ["--labels", "7,150"]).status == 0)
    try expectRefusal(
      "The masks hold 300 labels above 0, expected at most 255 classes; merge labels into classes (--merge-labels) or "
        + "leave some out (--exclude-labels).", of: files)
  }

  @Test func oneFileAgainstAnother() throws {
    let result = try dualnorm(
      "score", "--prediction", predictions + "/Site-B/Case01.nii.gz", "--reference",
      references + "/Site-B/Case01_segmentation.nii.gz", "--labels", "1")
    #expect(result.status == 0)
    #expect(result.output.contains("\nSite-B  label 1  1      1       0      0      0  0.667"))
  }

  @Test func missingPredictionIsAnErrorUnlessAllowed() throws {
    try FileManager.default.removeItem(atPath: predictions + "/Site-A")
    let refused = try dualnorm("score", "--prediction", predictions, "--reference", references)
    #expect(
      refused.errors
        == "Error: \(predictions): 1 of 2 references have no prediction (Site-A/Case01); add them, or give --allow-missing to score them as misses.\n"
    )
    #expect(refused.status == 1 && refused.output == "")
    let allowed = try dualnorm("score", "--prediction", predictions, "--reference", references, "--allow-missing")
    #expect(
      allowed.errors == "Warning: 1 of 2 references have no prediction and are scored as misses: Site-A/Case01.\n")
    #expect(
      allowed.output.contains("Missed: Site-A/Case01 label 1, Site-A/Case01 label 2 and Site-B/Case01 label 2.\n"))
    #expect(allowed.status == 0)
  }

  @Test func predictionWithoutReferenceIsNamed() throws {
    try labelMap([1]).write(to: folder.file("predictions/Site-B/Case07.nii"))
    let result = try dualnorm("score", "--prediction", predictions, "--reference", references)
    #expect(
      result.errors == "Warning: 1 prediction without a reference, not scored: \(predictions)/Site-B/Case07.nii.\n")
    #expect(result.status == 0)
  }

  @Test func anotherGridIsRefusedWithBothNames() throws {
    try labelMap([0, 1, 1, 0, 2]).write(to: folder.file("predictions/Site-A/Case01.nii.gz"))
    let result = try dualnorm("score", "--prediction", predictions, "--reference", references)
    #expect(
      result.errors
        == "Error: \(predictions)/Site-A/Case01.nii.gz and \(references)/Site-A/Case01_segmentation.nii.gz do not lie on the same grid: size 5×1×1 against 6×1×1; a prediction must be on its reference's grid.\n"
    )
    #expect(result.status == 1)
  }

  @Test func aDamagedFileIsNamedAndNothingIsWritten() throws {
    let damaged = folder.file("predictions/Site-A/Case01.nii.gz")
    try Data("not a volume".utf8).write(to: damaged)
    let output = folder.file("scores.json")
    let result = try dualnorm(
      "score", "--prediction", predictions, "--reference", references, "--output", output.path)
    #expect(result.errors.hasPrefix("Error: \(damaged.path): "))
    #expect(result.status == 1)
    #expect(!FileManager.default.fileExists(atPath: output.path))
  }

  @Test func anUnwritableOutputIsNamed() throws {
    let output = predictions + "/Site-A/Case01.nii.gz/scores.csv"
    let result = try dualnorm("score", "--prediction", predictions, "--reference", references, "--output", output)
    #expect(result.errors.hasPrefix("Error: \(predictions)/Site-A/Case01.nii.gz: this folder cannot be made ("))
    #expect(result.status == 1 && result.output == "")
  }

  @Test func aPathThatIsNotThereIsNamed() throws {
    let result = try dualnorm("score", "--prediction", "/no/such", "--reference", references)
    #expect(result.errors == "Error: /no/such: there is no such file or folder; check --prediction.\n")
    #expect(result.status == 1)
  }

  @Test(arguments: [
    (["--quiet"], "--quiet shows nothing; give --output as well to keep the scores."),
    (
      ["--output", "scores.txt"], "--output scores.txt: scores are written as .csv or .json; give one of these endings."
    ),
    (["--tolerance", "1,-1"], "--tolerance 1,-1: tolerances are different lengths from 0 mm on, such as 0,1,2."),
    (["--tolerance", "one"], "The value 'one' is invalid for '--tolerance <mm,…>'"),
    (["--labels", "0,1"], "--labels 0,1: 0 is background and is not scored; leave it out."),
    (["--labels", "1,70000"], "The value '1,70000' is invalid for '--labels <label,…>'"),
  ])
  func wrongUsage(options: [String], message: String) throws {
    try expectRefusal(
      message, status: 64, of: ["score", "--prediction", predictions, "--reference", references] + options)
  }
}

/// A row of voxels of 2 × 1 × 3 mm each, 6 mm³.
private func labelMap(_ voxels: [LabelValue]) -> LabelMap {
  LabelMap(voxels: voxels, geometry: Geometry(size: [voxels.count, 1, 1], spacingMM: [2, 1, 3]))
}
