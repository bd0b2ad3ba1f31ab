import Foundation
import Testing

@testable import Basics
@testable import Scores

@Suite struct ScorePairsTests {
  /// Empty files with the given paths, in a separate folder `data`.
  final class Files {
    let root = FileManager.default.temporaryDirectory.appendingPathComponent("pairs-\(UUID().uuidString)")

    init(_ paths: [String]) throws {
      for path in paths {
        let url = root.appendingPathComponent(path)
        try FileManager.default.createDirectory(at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
        try Data().write(to: url)
      }
    }

    deinit { try? FileManager.default.removeItem(at: root) }

    func pairs(_ prediction: String = "p", _ reference: String = "r", allowMissing: Bool = false) throws -> ScorePairs {
      try ScorePairs(
        prediction: root.appendingPathComponent(prediction), reference: root.appendingPathComponent(reference),
        allowMissing: allowMissing)
    }

    /// Pairs as `site/case: prediction - reference`, with paths from the root.
    func described(_ pairs: ScorePairs) -> [String] {
      pairs.pairs.map { pair in
        "\(pair.identifier): \(pair.prediction.map(path) ?? "none") - \(path(pair.reference))"
      }
    }

    func path(_ url: URL) -> String { String(url.path.dropFirst(root.path.count + 1)) }
  }

  @Test func siteLayoutTakesTheMaskNotTheImage() throws {
    let files = try Files([
      "p/Site-A/Case01.nii.gz", "p/Site-B/Case01.nii", "r/Site-A/Case01.nii.gz", "r/Site-A/Case01_segmentation.nii.gz",
      "r/Site-B/Case01.nii.gz", "r/Site-B/Case01_seg.nrrd", "r/Site-A/all_list.txt", "r/Site-A/Unlabelled.nii.gz",
    ])
    #expect(
      files.described(try files.pairs()) == [
        "Site-A/Case01: p/Site-A/Case01.nii.gz - r/Site-A/Case01_segmentation.nii.gz",
        "Site-B/Case01: p/Site-B/Case01.nii - r/Site-B/Case01_seg.nrrd",
      ])
  }

  @Test func decathlonLayoutTakesLabels() throws {
    let files = try Files([
      "p/a.nii.gz", "task/imagesTr/a.nii.gz", "task/labelsTr/a.nii.gz", "task/labelsTr/._a.nii.gz", "task/dataset.json",
    ])
    #expect(files.described(try files.pairs("p", "task")) == ["task/a: p/a.nii.gz - task/labelsTr/a.nii.gz"])
    #expect(files.described(try files.pairs("p", "task/labelsTr")) == ["task/a: p/a.nii.gz - task/labelsTr/a.nii.gz"])
  }

  /// One side has nnU-Net's suffix; one name ends in a number that looks like it.
  @Test func theFirstChannelsSuffixDoesNotMatter() throws {
    let files = try Files([
      "p/a_0000.nii.gz", "r/a.nii.gz", "p/b.nii.gz", "r/b_0000.nii.gz", "p/img_0001_0000.nii.gz", "r/img_0001.nii.gz",
      "p/S/a_0000.nii.gz", "r/S/a_seg.nii.gz",
    ])
    let pairs = try files.pairs()
    #expect(
      files.described(pairs) == [
        "S/a: p/S/a_0000.nii.gz - r/S/a_seg.nii.gz", "r/a: p/a_0000.nii.gz - r/a.nii.gz",
        "r/b_0000: p/b.nii.gz - r/b_0000.nii.gz", "r/img_0001: p/img_0001_0000.nii.gz - r/img_0001.nii.gz",
      ])
    #expect(pairs.predictionsWithoutReference.isEmpty)
  }

  /// The exact name wins; several channels are images.
  @Test func anAmbiguousSuffixIsNotPaired() throws {
    let files = try Files([
      "p/a.nii.gz", "p/a_0000.nii.gz", "r/a.nii.gz", "p/b_0000.nii.gz", "p/b_0001.nii.gz", "r/b.nii.gz",
    ])
    let pairs = try files.pairs(allowMissing: true)
    #expect(files.described(pairs) == ["r/a: p/a.nii.gz - r/a.nii.gz", "r/b: none - r/b.nii.gz"])
    #expect(
      pairs.predictionsWithoutReference.map(files.path) == ["p/a_0000.nii.gz", "p/b_0000.nii.gz", "p/b_0001.nii.gz"])
  }

  @Test func samePathsWithoutSuffix() throws {
    let files = try Files(["p/x.nii.gz", "p/deep/er/y.mha", "r/x.nii.gz", "r/deep/er/y.mha"])
    #expect(
      files.described(try files.pairs()) == [
        "deep/er/y: p/deep/er/y.mha - r/deep/er/y.mha", "r/x: p/x.nii.gz - r/x.nii.gz",
      ])
  }

  @Test func aPredictionNamedAsMaskWinsOverTheImageBesideIt() throws {
    let files = try Files(["p/x.nii.gz", "p/x_seg.nii.gz", "p/y.nii.gz", "r/x.nii.gz", "r/y.nii.gz"])
    #expect(
      files.described(try files.pairs()) == ["r/x: p/x_seg.nii.gz - r/x.nii.gz", "r/y: p/y.nii.gz - r/y.nii.gz"])
  }

  @Test func oneFileAgainstAnother() throws {
    let files = try Files(["p/whatever.nii.gz", "r/Site-A/Case01_segmentation.nii.gz"])
    #expect(
      files.described(try files.pairs("p/whatever.nii.gz", "r/Site-A/Case01_segmentation.nii.gz")) == [
        "Site-A/Case01: p/whatever.nii.gz - r/Site-A/Case01_segmentation.nii.gz"
      ])
  }

  @Test func missingPredictionsAreAnErrorUnlessAllowed() throws {
    let files = try Files(["p/a.nii", "r/a.nii", "r/b.nii", "r/c.nii", "r/d.nii", "r/e.nii"])
    let error = #expect(throws: Refusal.self) { try files.pairs() }
    #expect(
      error?.description
        == "\(files.root.path)/p: 4 of 5 references have no prediction (r/b, r/c, r/d and 1 more); add them, or give --allow-missing to score them as misses."
    )
    let pairs = try files.pairs(allowMissing: true)
    #expect(pairs.missing.map(\.caseName) == ["b", "c", "d", "e"])
    #expect(
      pairs.warnings == [
        "4 of 5 references have no prediction and are scored as misses: r/b, r/c, r/d and r/e."
      ])
  }

  @Test func predictionsWithoutReferenceAreNamed() throws {
    let files = try Files(["p/a.nii", "p/z.nii", "r/a.nii"])
    let pairs = try files.pairs()
    #expect(pairs.pairs.count == 1)
    #expect(pairs.warnings == ["1 prediction without a reference, not scored: \(files.root.path)/p/z.nii."])
  }

  @Test(arguments: [
    (
      ["p/a.nii", "r/b.nii"],
      "p: no file has the name of a reference in ROOT/r (r/b); expected the same names up to the ending and a suffix such as _segmentation."
    ),
    (
      ["p/a.nii", "r/b.txt"],
      "r: no masks were found; expected images (.nii.gz, .nii, .hdr.gz, .hdr, .nrrd, .nhdr, .mha, .mhd, .png, .jpg, .jpeg, .tif, .tiff)."
    ),
    (["p/a.nii", "r/a.nii", "r/a.mha"], "r/a.nii: a.mha is the same case; keep one of the two."),
    (["p/a.nii", "r"], "p is a folder and ROOT/r is a file; give two folders or two files."),
    (["p", "r/a.nii"], "p is a file and ROOT/r is a folder; give two folders or two files."),
    (["p/a.nii"], "r: there is no such file or folder; check --reference."),
  ])
  func whatCannotBePaired(paths: [String], sentence: String) throws {
    let files = try Files(paths)
    let error = #expect(throws: Refusal.self) { try files.pairs(allowMissing: true) }
    #expect(error?.description == "ROOT/\(sentence)".replacingOccurrences(of: "ROOT", with: files.root.path))
  }
}
