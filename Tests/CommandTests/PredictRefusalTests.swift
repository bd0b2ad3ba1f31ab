import Foundation
import MedicalImaging
import Testing

/// Unusable inputs, outputs and models of predict, which leaves nothing behind.
@Suite struct PredictRefusalTests {
  let folder: TemporaryFolder
  private let scan: URL
  private var output: URL { folder.file("out/mask.nii.gz") }

  init() throws {
    folder = try TemporaryFolder()
    scan = try Tiny.data.appendingPathComponent("Site-A/Case01.nii.gz")
  }

  private func arguments(model: URL? = nil, input: URL? = nil, output: URL? = nil) throws -> [String] {
    [
      "predict", "--model", try (model ?? Tiny.run).path, "--input", input?.path ?? scan.path, "--output",
      output?.path ?? self.output.path, "--threads", "1", "--probabilities",
    ]
  }

  enum Fault: String, CaseIterable {
    case missing, empty, notGzip, text, truncated, flat, fourDimensional, tooSmall, notANumber, constant
    case anotherFormat
  }

  @Test(arguments: Fault.allCases) func input(fault: Fault) throws {
    let (url, sentence) = try input(with: fault)
    let before = contents(of: folder.url)
    try expectRefusal("\(url.path): \(sentence)", of: arguments(input: url))
    #expect(contents(of: folder.url) == before)
  }

  private func input(with fault: Fault) throws -> (URL, String) {
    let good = try Data(contentsOf: fixtures.appendingPathComponent("commands/even.nii"))
    func write(_ data: Data, _ name: String) throws -> URL {
      try data.write(to: folder.file(name))
      return folder.file(name)
    }
    func image(_ body: (inout Image) -> Void) throws -> URL {
      var image = try Image(contentsOf: scan)
      body(&image)
      try image.write(to: folder.file("scan.nii.gz"))
      return folder.file("scan.nii.gz")
    }
    switch fault {
    case .missing: return (folder.file("scan.nii.gz"), "there is no such file or folder; check --input.")
    case .empty: return (try write(Data(), "scan.nii.gz"), "the file is empty; copy it again from its source.")
    case .notGzip:
      return (
        try write(good, "scan.nii.gz"),
        "its name ends in .gz but it is not gzip data; rename it to .nii or compress it."
      )
    case .text:
      return (
        try write(Data("not a scan".utf8), "scan.txt"),
        "not an image format by its name; expected .nii.gz, .nii, .hdr, .nrrd, .nhdr, .mha or .mhd for a volume, .png, .jpg or "
          + ".tif for a picture."
      )
    case .truncated:
      return (
        try write(good.prefix(10352), "scan.nii"),
        "its header promises 32×48×5 voxels of 4 bytes, but the file holds at most 10000 bytes of voxels; it is cut short "
          + "or damaged: copy it again from its source."
      )
    case .flat:
      var data = good
      data[40] = 1
      return (
        try write(data, "scan.nii"),
        "a row of 32 voxels; expected a volume or a slice: export it again as NIfTI."
      )
    case .fourDimensional:
      let volume = try Image(contentsOf: scan)
      try writeChannels([volume, volume], to: folder.file("scan.nii.gz"))
      return (
        folder.file("scan.nii.gz"),
        "a 4-D file (32×32×4×2); expected a 3-D volume: split it into one file a channel."
      )
    case .tooSmall:
      return (
        try image { $0 = Image(voxels: (0..<6 * 40 * 2).map(Float.init), geometry: Geometry(size: [6, 40, 2])) },
        "slices of 40×6 pixels (H×W), expected at least 8 a side because the network halves them 4 times; leave this "
          + "volume out or give a finer --spacing."
      )
    case .notANumber:
      return (
        try image { $0.voxels[5] = .nan },
        "1 voxel NaN or infinite, expected numbers only; repair the image, for example by setting them to the background's "
          + "intensity."
      )
    case .constant:
      return (
        try image { $0.voxels = $0.voxels.map { _ in 3 } },
        "every voxel is 3, expected an image with contrast; leave this case out or restore the file."
      )
    case .anotherFormat:
      return (
        try write(Data("NRRD0004".utf8), "scan.gipl"),
        "not an image format by its name; expected .nii.gz, .nii, .hdr, .nrrd, .nhdr, .mha or .mhd for a volume, .png, .jpg or "
          + ".tif for a picture."
      )
    }
  }

  @Test func outputInTheWay() throws {
    try Data("mine".utf8).write(to: folder.file("out"))
    // The refusal comes before the model's weights are read.
    try expectRefusal(
      "\(folder.path)/out: this folder cannot be made (File exists); choose another output.",
      of: arguments(model: modelWithoutWeights()))
    #expect(try String(contentsOf: folder.file("out"), encoding: .utf8) == "mine")
    #expect(contents(of: folder.url) == ["model", "model/model.json", "out"])
  }

  @Test func aFolderWithTheMasksName() throws {
    try FileManager.default.createDirectory(at: output, withIntermediateDirectories: true)
    try expectRefusal(
      "\(output.path): cannot be written (Is a directory); choose another output.",
      of: arguments(model: modelWithoutWeights()))
  }

  @Test func permissions() throws {
    let closed = folder.file("closed")
    let copy = closed.appendingPathComponent("scan.nii.gz")
    try Image(contentsOf: scan).write(to: copy)
    let manager = FileManager.default
    try manager.setAttributes([.posixPermissions: 0o555], ofItemAtPath: closed.path)
    try expectRefusalWithoutPrivileges(
      "\(closed.path): cannot be written (Permission denied); choose another output.",
      of: arguments(model: modelWithoutWeights(), output: closed.appendingPathComponent("mask.nii.gz")))
    try manager.setAttributes([.posixPermissions: 0], ofItemAtPath: copy.path)
    try expectRefusalWithoutPrivileges(
      "\(copy.path): may not be read (Permission denied); change its permissions.", of: arguments(input: copy))
    try manager.setAttributes([.posixPermissions: 0o755], ofItemAtPath: closed.path)
  }

  /// Root, who may read and write everything, gives that up before.
  private func expectRefusalWithoutPrivileges(_ sentence: String, of arguments: [String]) throws {
    let privileges = "-dac_override,-dac_read_search"
    let givingUp = "exec setpriv --bounding-set=\(privileges) --inh-caps=\(privileges) \"$0\" \"$@\""
    let result = try geteuid() == 0 ? dualnorm(arguments, limits: givingUp) : dualnorm(arguments)
    #expect(result.status == 1 && result.output == "" && result.errors == "Error: \(sentence)\n")
  }

  private func modelWithoutWeights() throws -> URL {
    let model = folder.file("model")
    try FileManager.default.createDirectory(at: model, withIntermediateDirectories: true)
    try FileManager.default.copyItem(
      at: Tiny.run.appendingPathComponent("model.json"), to: model.appendingPathComponent("model.json"))
    return model
  }

  @Test func anEmptyFolder() throws {
    let empty = folder.file("empty")
    try FileManager.default.createDirectory(at: empty, withIntermediateDirectories: true)
    try expectRefusal(
      "\(empty.path): is an empty folder; give one of volumes, pictures or DICOM series, or a single file.",
      of: arguments(input: empty, output: folder.file("out")))
  }

  @Test func twoResultsOfOneName() throws {
    let scans = folder.file("scans")
    for name in ["a", "a_first"] {
      try Image(contentsOf: scan).write(to: scans.appendingPathComponent("\(name).nii.gz"))
    }
    let out = folder.file("out")
    try expectRefusal(
      "\(out.path)/a_first.nii.gz: would be a result of both a and a_first; rename one of the inputs.",
      of: arguments(input: scans, output: out) + ["--first-pass"])
  }

  @Test func outputThatIsNoNIfTIOrNoFolder() throws {
    let mha = folder.file("mask.mha")
    try expectRefusal(
      "\(mha.path): masks are written as NIfTI; name the output .nii.gz or .nii, or give a folder.",
      of: arguments(output: mha))
    try expectRefusal(
      "\(output.path): is a file, and --input is a folder; give a folder for --output.",
      of: arguments(input: Tiny.data))
    #expect(contents(of: folder.url) == [])
  }

  @Test func theInputIsNeverOverwritten() throws {
    let scans = folder.file("scans")
    let names = ["a.nii.gz", "a_probabilities.nii.gz"]
    for name in names { try Image(contentsOf: scan).write(to: scans.appendingPathComponent(name)) }
    let before = try names.map { try Data(contentsOf: scans.appendingPathComponent($0)) }
    let (file, other) = (scans.appendingPathComponent(names[0]), scans.appendingPathComponent(names[1]))
    func sentence(_ url: URL) -> String {
      "\(url.path): is an input that --output would overwrite; give another --output."
    }
    try expectRefusal(sentence(file), of: arguments(input: scans, output: scans))
    try expectRefusal(sentence(file), of: arguments(input: file, output: scans))
    try expectRefusal(sentence(file), of: arguments(input: file, output: file))
    try expectRefusal(sentence(other), of: arguments(input: other, output: file))
    #expect(try names.map { try Data(contentsOf: scans.appendingPathComponent($0)) } == before)
  }

  @Test func inputsThatDoNotGoTogether() throws {
    let twice = ["--input", scan.path]
    try expectRefusal(
      "--input names 2 files, and the model takes 1; give one a modality, in order.", of: arguments() + twice)
    try expectRefusal(
      "--input names 2 folders or files; give one folder, or one file a modality.",
      of: arguments() + ["--input", Tiny.data.path])
  }
}
