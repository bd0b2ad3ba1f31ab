import Basics
import Datasets
import DualNorm
import Experiments
import Foundation
import MedicalImaging
import Torch

/// A reader of external files, and its inputs for fuzzing.
struct Reader: Sendable {
  let name: String
  /// Paths of valid files below `Tests/Fixtures`.
  let files: [String]
  /// Text tokens to insert into the files.
  var tokens: [String] = []
  /// The name that the file must have, if the reader expects one.
  var fixedName: String?
  /// Valid files beside it: their paths there, and their sources.
  var beside: [String: String] = [:]
  /// Reads a mutated file; also gets its folder.
  let read: @Sendable (_ file: URL, _ folder: URL) throws -> Void

  static let all: [Reader] = [
    Reader(
      name: "nifti",
      files: ["big-endian.nii", "nifti2-big-endian.nii", "type-i2.nii.gz", "nan.nii.gz"].map { "imaging/\($0)" },
      read: image),
    Reader(
      name: "metaimage",
      files: ["type-i2.mha", "type-f4.mha", "type-u1.mha", "meta-rotation.mha", "meta-size.mha"].map {
        "imaging/\($0)"
      },
      tokens: numbers + [
        "=", "LIST", "%d", "../", "/dev/zero", "HeaderSize = -1\n", "NDims = 40\n", "True", "MET_LONG",
      ],
      read: image),
    Reader(
      name: "nrrd",
      files: ["type-i2.nrrd", "type-f4.nrrd", "type-u1.nrrd", "space-RAS.nrrd", "space-LAST.nrrd"].map {
        "imaging/\($0)"
      },
      tokens: numbers + [
        ": ", ":=", "none", "(", ")", ",", "LIST", "%d", "/dev/zero", "encoding: text\n", "encoding: hex\n",
        "byte skip: -1\n", "line skip: 3\n", "dimension: 16\n",
      ], read: image),
    Reader(
      name: "png", files: ["rgb8", "grey16", "palette", "grey1", "grey8-interlaced"].map { "images/\($0).png" },
      read: image),
    Reader(name: "jpeg", files: ["rgb.jpg", "progressive.jpg", "grey.jpeg"].map { "images/\($0)" }, read: image),
    Reader(
      name: "tiff",
      files: ["rgb8.tif", "rgb16.tiff", "palette.tif", "big.tif", "float.tif", "tiles.tif"].map { "images/\($0)" },
      read: image),
    Reader(
      name: "dicom",
      files: [
        "unsigned16", "implicit", "big-endian", "rle", "jpeg-lossless", "jpeg-ls", "words8", "signed12", "deflated",
      ]
      .map { "dicom/\($0).dcm" }, fixedName: "a.dcm"
    ) { _, folder in _ = try Image(contentsOf: folder) },
    Reader(
      name: "segmentation", files: ["two", "full", "one", "labelmap"].map { "imaging/segmentations/\($0).dcm" },
      beside: Dictionary(
        uniqueKeysWithValues: (0..<5).map { ("series/\($0)", "imaging/segmentations/series/\($0).dcm") })
    ) { file, folder in
      let series = try DICOMSeries(contentsOf: folder.appendingPathComponent("series"))
      _ = try DICOMSegmentation(contentsOf: file).labels(on: series)
    },
    Reader(name: "safetensors", files: ["commands/expected.safetensors"], tokens: json) { file, _ in
      _ = try Safetensors.read(file)
    },
    Reader(name: "pth", files: ["commands/reference.pth"], tokens: json) { file, _ in _ = try TorchCheckpoint.read(file)
    },
    Reader(name: "model.json", files: ["fuzz/run/model.json"], tokens: json, fixedName: "model.json") { _, folder in
      _ = try RunFolder(folder).readDescription()
    },
    Reader(
      name: "dataset.json", files: ["fuzz/dataset.json"], tokens: json, fixedName: "dataset.json",
      beside: Dictionary(
        uniqueKeysWithValues: ["imagesTr/a", "imagesTr/b", "labelsTr/a", "labelsTr/b", "imagesTs/c"].map {
          ("\($0).nii.gz", "imaging/type-u1.nii.gz")
        })
    ) { _, folder in
      guard try !Dataset(contentsOf: folder).cases.isEmpty else { throw Refusal(.input, sentence: "No case.") }
    },
    Reader(name: "splits.json", files: ["fuzz/run/splits.json"], tokens: json, fixedName: "splits.json") { file, _ in
      _ = try Split(contentsOf: file, cases: cases)
    },
    Reader(
      name: "splits_final.json", files: ["fuzz/folds/splits_final.json"], tokens: json, fixedName: "splits_final.json"
    ) { file, _ in _ = try Folds(contentsOf: file, cases: cases) },
    Reader(name: "log.csv", files: ["fuzz/run/log.csv"], tokens: csv) { file, _ in
      _ = try TrainingHistory(contentsOf: file)
    },
    Reader(name: "results.csv", files: ["statistics/results.csv"], tokens: csv) { file, _ in
      _ = try ResultTable(contentsOf: file)
    },
    Reader(name: "recipe.yaml", files: ["fuzz/recipe.yaml"], tokens: yaml) { file, _ in
      _ = try DataRecipe(yaml: file)
    },
    Reader(name: "config.yaml", files: ["fuzz/run/config.yaml"], tokens: yaml) { file, _ in
      _ = try TrainingConfiguration(yaml: file)
    },
  ]

  /// The cases that the fixtures' splits name.
  private static let cases = [4, 6, 7, 8, 14, 15, 19, 20, 23, 25, 33, 34].map { number in
    let name = "hippocampus_0" + (number < 10 ? "0" : "") + "\(number)"
    return Case(name: name, site: "Hippocampus", images: [URL(fileURLWithPath: "/\(name).nii.gz")], mask: nil)
  }

  private static let image: @Sendable (URL, URL) throws -> Void = { file, _ in
    let result = Result { try Image.channels(contentsOf: file) }
    _ = try? LabelMap(contentsOf: file)
    _ = try result.get()
  }
  private static let numbers = ["-1", "0", "1e308", "1e-308", "99999999999999999999", "nan", "inf", " ", "\n", "\u{0}"]
  private static let json =
    numbers + ["{", "}", "[", "]", "\"", ":", ",", "null", "true", "\\u0000", "../", "/dev/zero"]
  private static let yaml = json + [": ", "&a ", "*a", "!!", "- "]
  private static let csv = numbers + [",", "\"", "\"\"", "\r\n", "+", "plain", "final"]
}

/// Tells whether an error has one sentence for the user.
func isSentence(_ error: any Error) -> Bool {
  error is Refusal
}
