import Foundation
import MedicalImaging
import Scores
import Testing

@testable import DualNorm

/// Masks of a server are those of `predict`, to the byte.
@Suite struct ServeMaskTests {
  let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  private func form(_ file: URL, _ parameters: String = "{}") throws -> RequestForm {
    RequestForm(["params": parameters]).with("file", named: file.lastPathComponent, try Data(contentsOf: file))
  }

  @Test func ofAFileAnImageOfTheFolderAndASession() throws {
    let (run, data) = (try Tiny.run, try Tiny.data)
    let scan = data.appendingPathComponent("Site-B/Case01.nii.gz")
    let server = try RunningServer([run.path, "--data", data.path])
    let (final, first) = (try Predicted.mask(run, scan), try Predicted.mask(run, scan, "--first-pass"))
    let adapted = try Predicted.mask(run, scan, "--adapt", "case")
    #expect(Set([final, first, adapted]).count == 3, "the test tells them apart")
    #expect(try server.mask("run", "", form(scan)) == final)
    #expect(try server.mask("run_first", "", form(scan)) == first)
    #expect(try server.mask("run", "", form(scan, #"{"adapt": "case"}"#)) == adapted)
    // Adaptation of one request does not last.
    #expect(try server.mask("run", "image=Site-B/Case01", RequestForm()) == final)
    #expect(try server.mask("run", "image=Site-B%2FCase01", RequestForm(["params": ""])) == final)
    let session = try server.answer("PUT", "/session/", form(scan))
    let identifier = try #require(session.json["session_id"] as? String)
    for model in ["run", "run_first"] {
      #expect(try server.mask(model, "session_id=\(identifier)", RequestForm()) == (model == "run" ? final : first))
    }
    let nrrd = folder.file("mask.nrrd")
    try server.mask("run", "session_id=\(identifier)", RequestForm(["params": #"{"result_extension": ".nrrd"}"#]))
      .write(to: nrrd)
    try final.write(to: folder.file("mask.nii.gz"))
    let (found, expected) = (try LabelMap(contentsOf: nrrd), try LabelMap(contentsOf: folder.file("mask.nii.gz")))
    #expect(found.voxels == expected.voxels && found.geometry.mismatch(with: expected.geometry) == nil)
  }

  /// 3D Slicer asks for the form, and takes the image out of it.
  @Test func inTheFormThatSlicerReads() throws {
    let run = try Tiny.run
    let scan = try Tiny.data.appendingPathComponent("Site-A/Case02.nii.gz")
    let server = try RunningServer([run.path])
    for query in ["", "?output=all", "?image=&output="] {
      let answer = try server.answer("POST", "/infer/run\(query)", form(scan))
      #expect(answer.status == 200 && Set(answer.form.keys) == ["params", "image"])
      #expect(try answer.form["image"] == Predicted.mask(run, scan))
      let parameters = try JSONSerialization.jsonObject(with: answer.form["params"]!) as? [String: Any]
      #expect(parameters?["label_names"] as? [String: Int] == ["label 1": 1, "label 2": 2])
      #expect(answer.headers["connection"] == "close", "the server closes it, and says so")
    }
    let json = try server.answer("POST", "/infer/run?output=json", form(scan))
    #expect(json.json["label_names"] as? [String: Int] == ["label 1": 1, "label 2": 2])
  }

  /// A volume far from the training is a doubt of each kind of answer, also of one that is a file alone.
  @Test func doubtsComeWithEveryAnswer() throws {
    let scan = folder.file("far.nii.gz")
    var image = try Image(contentsOf: Tiny.data.appendingPathComponent("Site-A/Case02.nii.gz"))
    image = Image(voxels: image.voxels, geometry: Geometry(size: image.geometry.size, spacingMM: [0.1, 0.1, 90]))
    try image.write(to: scan)
    let server = try RunningServer([Tiny.run.path])
    let json = try server.answer("POST", "/infer/run?output=json", form(scan))
    let sentence = try #require((json.json["warnings"] as? [String])?.first)
    #expect(sentence.hasPrefix("far.nii.gz: far from what the model learnt from, spacing of pixels 0.1 mm"))
    let file = try server.answer("POST", "/infer/run?output=image", form(scan))
    #expect(file.status == 200 && file.headers["x-dualnorm-warning"]?.contains(sentence) == true)
  }

  @Test func ofADICOMSeriesAsManyFiles() throws {
    let (run, series) = (try Tiny.run, fixtures.appendingPathComponent("dicom/oblique"))
    let server = try RunningServer([run.path])
    var (files, one) = (RequestForm(), RequestForm())
    // Names say nothing: not the format, and here they are all alike.
    for name in contents(of: series).reversed() {
      let slice = try Data(contentsOf: series.appendingPathComponent(name))
      files = files.with("files", named: "IM", slice)
      one = one.with("file", named: "../\(name)", slice)
    }
    let expected = try Predicted.mask(run, series)
    let session = try server.answer("PUT", "/session/", files)
    let identifier = try #require(session.json["session_id"] as? String, "\(session.text)")
    #expect(try server.mask("run", "session_id=\(identifier)", RequestForm()) == expected)
    #expect(try server.mask("run", "", one) == expected)
    // Again: the files have been moved to one folder.
    let segmentation = try server.answer("POST", "/infer/run?session_id=\(identifier)&output=dicom_seg", RequestForm())
    #expect(segmentation.status == 200 && segmentation.headers["content-type"] == "application/dicom")
    #expect(segmentation.body.dropFirst(128).prefix(4) == Data("DICM".utf8) && segmentation.text.contains("label 2"))
    let volume = try form(Tiny.data.appendingPathComponent("Site-A/Case00.nii.gz"))
    let refused = try server.answer("POST", "/infer/run?output=dicom_seg", volume)
    #expect(refused.status == 400 && refused.detail.contains("not of DICOM"))
  }

  @Test func ofASiteThatIsNamedOrTheFolders() throws {
    let (run, data) = (folder.file("sites"), try Tiny.data)
    let trained = try dualnorm(
      ["train", "--data", data.path, "--output", run.path] + Tiny.quick
        + "--norm dsbn --iterations 8,4 --batch-size 4 --learning-rate 0.03".split(separator: " ").map(String.init))
    #expect(trained.status == 0, "\(trained.errors)")
    let scan = folder.file("scan.nii.gz")
    try FileManager.default.copyItem(at: data.appendingPathComponent("Site-A/Case01.nii.gz"), to: scan)
    let server = try RunningServer([run.path, "--data", data.path])
    let (a, b) = (try Predicted.mask(run, scan, "--site", "Site-A"), try Predicted.mask(run, scan, "--site", "Site-B"))
    let other = try Predicted.mask(run, scan)
    #expect(Set([a, b, other]).count > 1, "the test tells sites apart")
    #expect(try server.mask("sites", "image=Site-A/Case01", RequestForm()) == a)
    #expect(try server.mask("sites", "image=Site-A/Case01", RequestForm(["params": #"{"site": "Site-B"}"#])) == b)
    #expect(try server.mask("sites", "", form(scan, #"{"site": ["Site-A"]}"#)) == a)
    #expect(try server.mask("sites", "", form(scan)) == other)
    #expect(
      try server.mask("sites", "image=Site-A/Case01", RequestForm(["params": #"{"site": "another site"}"#])) == other)
    let info = try server.answer("GET", "/info/").json["models"] as? [String: [String: Any]]
    let options = try #require(info?["sites"]?["config"] as? [String: Any])
    #expect(options["site"] as? [String] == ["another site", "Site-A", "Site-B"])
    let unknown = try server.answer("POST", "/infer/sites", form(scan, #"{"site": "Site-C"}"#))
    #expect(unknown.status == 400 && unknown.detail == "The option site is one of another site, Site-A and Site-B.")
  }

  @Test func ofAPicture() throws {
    let (data, run) = (folder.file("pictures"), folder.file("photos"))
    for number in 0..<4 {
      let place = data.appendingPathComponent("Site-A/Case\(number)")
      var picture = RGBImage(width: 32, height: 32)
      var mask = LabelMap(repeating: 0, geometry: Geometry(size: [32, 32, 1]))
      for y in 0..<32 {
        for x in 0..<32 {
          let isInside = x / 8 == number % 4
          picture[x, y] = isInside ? [250, UInt8(200 + number), 90] : [UInt8(x), UInt8(y), 20]
          mask[x, y, 0] = isInside ? 255 : 0
        }
      }
      try picture.write(to: place.appendingPathExtension("png"))
      try mask.write(to: place.deletingLastPathComponent().appendingPathComponent("Case\(number)_mask.png"))
    }
    let trained = try dualnorm(
      ["train", "--data", data.path, "--output", run.path] + Tiny.quick + [
        "--iterations", "20,20", "--learning-rate", "0.02",
      ])
    #expect(trained.status == 0, "\(trained.errors)")
    let scan = data.appendingPathComponent("Site-A/Case1.png")
    let expected = try Predicted.mask(run, scan, named: "mask.png")
    let server = try RunningServer([run.path, Tiny.run.path])
    // Values are numbers of classes, unless the data set's are asked for.
    let restored = #"{"restore_label_idx": true}"#
    #expect(try server.mask("photos", "", form(scan, restored)) == expected)
    for (file, parameters) in [("numbered.png", "{}"), ("restored.png", restored)] {
      try server.mask("photos", "", form(scan, parameters)).write(to: folder.file(file))
    }
    let (numbered, values) = (
      try LabelMap(contentsOf: folder.file("numbered.png")), try LabelMap(contentsOf: folder.file("restored.png"))
    )
    #expect(numbered.voxels.map { $0 == 1 ? 255 : $0 } == values.voxels && values.voxels.contains(255))
    let info = try server.answer("GET", "/info/").json["models"] as? [String: [String: Any]]
    #expect(info?["photos"]?["dimension"] as? Int == 2 && info?["run"]?["dimension"] as? Int == 3)
    let wrong = try server.answer("POST", "/infer/run", form(scan))
    #expect(wrong.status == 400, "a picture for a model of volumes")
  }
}
