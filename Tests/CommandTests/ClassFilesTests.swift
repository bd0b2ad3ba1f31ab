import Foundation
import MedicalImaging
import Testing

/// `predict --one-file-per-class`.
@Suite struct ClassFilesTests {
  let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  private func predict(_ output: URL, _ options: [String] = []) throws -> (
    status: Int32, output: String, errors: String
  ) {
    try dualnorm(
      [
        "predict", "--model", Tiny.run.path, "--input", Tiny.data.appendingPathComponent("Site-A").path, "--output",
        output.path, "--threads", "1", "--quiet",
      ] + options)
  }

  @Test func eachClassHasAFileOfZerosAndOnes() throws {
    let (whole, parts) = (folder.file("whole"), folder.file("parts"))
    #expect(try predict(whole).status == 0)
    #expect(try predict(parts, ["--one-file-per-class", "--first-pass"]).status == 0)
    let mask = try LabelMap(contentsOf: whole.appendingPathComponent("Case00.nii.gz"))
    for label: LabelValue in [1, 2] {
      let part = try LabelMap(contentsOf: parts.appendingPathComponent("Case00/label_\(label).nii.gz"))
      #expect(part.voxels == mask.voxels.map { $0 == label ? 1 : 0 } && part.geometry == mask.geometry)
      #expect(FileManager.default.fileExists(atPath: parts.appendingPathComponent("Case00_first/label_1.nii.gz").path))
    }
    #expect(!FileManager.default.fileExists(atPath: parts.appendingPathComponent("Case00.nii.gz").path))
    let overwriting = try predict(parts, ["--one-file-per-class", "--first-pass"])
    #expect(overwriting.status == 0)
    // A missing class is predicted again; the others are left.
    try FileManager.default.removeItem(at: parts.appendingPathComponent("Case01/label_2.nii.gz"))
    let again = try dualnorm(
      [
        "predict", "--model", Tiny.run.path, "--input", Tiny.data.appendingPathComponent("Site-A").path, "--output",
        parts.path, "--threads", "1", "--one-file-per-class", "--first-pass", "--skip-existing",
      ])
    #expect(again.errors.contains("Skipping 2 of 3 inputs") && again.status == 0, "\(again.errors)")
  }

  @Test func aFileInPlaceOfAFolderIsRefusedBeforeTheFirstCase() throws {
    let output = folder.file("masks")
    try FileManager.default.createDirectory(at: output, withIntermediateDirectories: true)
    try Data("x".utf8).write(to: output.appendingPathComponent("Case01"))
    let result = try predict(output, ["--one-file-per-class"])
    #expect(result.status == 1 && result.errors.contains("Case01: this folder cannot be made"), "\(result.errors)")
    #expect(contents(of: output) == ["Case01"])
  }
}
