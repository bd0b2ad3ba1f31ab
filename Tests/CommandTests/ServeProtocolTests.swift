import Basics
import Foundation
import MedicalImaging
import TestSupport
import Testing

/// MONAI Label's protocol, as its client and the plugins of 3D Slicer and OHIF speak it.
@Suite struct ServeProtocolTests {
  let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  private func scan() throws -> Data { try Data(contentsOf: Tiny.data.appendingPathComponent("Site-A/Case00.nii.gz")) }

  @Test func whatTheServerTellsOfItself() throws {
    let server = try RunningServer([Tiny.run.path, "--data", Tiny.data.path])
    for path in ["/info", "/info/"] {
      let info = try server.answer("GET", path)
      #expect(info.status == 200 && info.headers["content-type"] == "application/json")
      // 3D Slicer takes one at the top for that of an old server.
      #expect(info.json["config"] == nil && info.json["labels"] as? [String] == ["label 1", "label 2"])
      let models = try #require(info.json["models"] as? [String: [String: Any]])
      #expect(Set(models.keys) == ["run", "run_first"])
      // Viewers choose the first, and name segments by the order of labels.
      #expect(info.text.contains(#""models":{"run":"#) && info.text.contains(#""labels":{"label 1":1,"label 2":2}"#))
      #expect(models.values.allSatisfy { $0["type"] as? String == "segmentation" && $0["dimension"] as? Int == 3 })
      #expect((info.json["trainers"] as? [String: Any])?.isEmpty == true)
      #expect(Set((info.json["strategies"] as? [String: Any] ?? [:]).keys) == ["random", "uncertain", "site-balanced"])
    }
    let training = try server.answer("GET", "/train/?check_if_running=true")
    #expect(training.status == 404, "OHIF and 3D Slicer take 200 for a training that runs")
    #expect(try server.answer("GET", "/auth/").json["enabled"] as? Bool == false)
    #expect(try server.answer("GET", "/logs/").status == 200)
    #expect(try server.answer("GET", "/health").json["status"] as? String == "ok")
    let all = try server.answer("GET", "/datastore/?output=all").json["objects"] as? [String: [String: Any]]
    #expect(all?.count == 6 && all?["Site-A/Case00"]?["labels"] != nil)
    let train = try server.answer("GET", "/datastore/?output=train")
    #expect((try JSONSerialization.jsonObject(with: train.body) as? [[String: String]])?.count == 6)
    #expect(try server.answer("GET", "/datastore?output=x").status == 400)
    for (method, path) in [
      ("POST", "/train/"), ("GET", "/nothing"), ("GET", "/../../etc/passwd"), ("DELETE", "/info/"),
    ] {
      #expect(try server.answer(method, path).status == 404, "\(path)")
    }
  }

  /// OHIF posts a form of parameters alone, and reads an NRRD without compression out of the body.
  @Test func requestsOfOHIF() throws {
    let server = try RunningServer([Tiny.run.path, "--data", Tiny.data.path])
    let parameters =
      #"{"adapt":"none","result_extension":".nrrd","result_dtype":"uint8","result_compress":false,"restore_label_idx":false}"#
    let mask = try server.mask("run", "image=Site-A%2FCase00", RequestForm(["params": parameters]))
    let file = folder.file("mask.nrrd")
    try mask.write(to: file)
    #expect(String(decoding: mask.prefix(600), as: UTF8.self).contains("encoding: raw\n") && mask.count > 32 * 32 * 4)
    let expected = folder.file("mask.nii.gz")
    try Predicted.mask(Tiny.run, Tiny.data.appendingPathComponent("Site-A/Case00.nii.gz")).write(to: expected)
    #expect(try LabelMap(contentsOf: file).voxels == LabelMap(contentsOf: expected).voxels)
    // Its other requests are JSON.
    let next = try server.answer(
      "POST", "/activelearning/random", Data("{}".utf8), ["Content-Type": "application/json"])
    #expect(next.status == 200 && next.text == "{}", "all have labels")
    for wish in [
      #"{"result_extension":".exe"}"#, #"{"result_extension":"../x.nrrd"}"#, #"{"result_extension":7}"#,
      #"{"result_compress":"no"}"#, #"{"adapt":"all"}"#, #"{"site":"Site-A"}"#, "[]", "{",
      #"{"result_extension":".png"}"#,
    ] {
      let answer = try server.answer("POST", "/infer/run?image=Site-A/Case00", RequestForm(["params": wish]))
      #expect(answer.status == 400 && answer.detail.hasSuffix("."), "\(wish): \(answer.detail)")
    }
    #expect(try server.answer("POST", "/infer/other?image=Site-A/Case00", RequestForm()).status == 404)
    #expect(try server.answer("POST", "/infer/run?image=Site-A/Case09", RequestForm()).status == 404)
    #expect(try server.answer("POST", "/infer/run", RequestForm()).status == 400)
  }

  @Test func aSessionUntilItIsRemoved() throws {
    let server = try RunningServer([Tiny.run.path, "--keep", "1"])
    let made = try server.answer("PUT", "/session/", RequestForm().with("files", named: "/home/doe/é x.nii.gz", scan()))
    let identifier = try #require(made.json["session_id"] as? String)
    #expect(identifier.wholeMatch(of: /[0-9a-f]{32}/) != nil)
    let told = try server.answer("GET", "/session/\(identifier)").json
    #expect(
      told["name"] as? String == identifier && told["image"] as? String == "é x.nii.gz" && told["expiry"] as? Int == 60)
    #expect(try server.answer("GET", "/session/\(identifier)?image=true").body == scan())
    #expect(server.kept.filter { $0.hasSuffix("000000.nii.gz") }.count == 1, "\(server.kept)")
    let metrics = try server.answer("GET", "/metrics")
    #expect(metrics.text.contains("\ndualnorm_uploads_kept 1\n"))
    #expect(try server.answer("DELETE", "/session/\(identifier)").status == 200)
    #expect(server.kept.filter { $0.hasSuffix(".nii.gz") } == [])
    for method in ["GET", "DELETE"] { #expect(try server.answer(method, "/session/\(identifier)").status == 404) }
    #expect(try server.answer("POST", "/infer/run?session_id=\(identifier)", RequestForm()).status == 404)
    for name in ["..%2F..%2Fetc", "%00", "x"] { #expect(try server.answer("GET", "/session/\(name)").status == 404) }
  }

  /// Every line is a comment or a sample, as Prometheus reads it.
  @Test func figuresForPrometheus() throws {
    let server = try RunningServer([Tiny.run.path])
    let form = try RequestForm().with("file", named: "a.nii.gz", scan())
    for _ in 0..<2 { _ = try server.mask("run", "", form) }
    _ = try server.answer("GET", "/strange-path")
    let metrics = try server.answer("GET", "/metrics")
    #expect(metrics.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8")
    var types: [Substring: Substring] = [:]
    for line in metrics.text.split(separator: "\n") {
      if let type = line.wholeMatch(of: /# TYPE (\w+) (counter|gauge)/) {
        types[type.1] = type.2
      } else if !line.hasPrefix("# HELP ") {
        let sample = line.wholeMatch(of: /(\w+)(?:\{(?:\w+="[^"\\]*",?)+\})? [0-9.]+/)
        #expect(sample.map { types[$0.1] != nil } == true, "\(line)")
      }
    }
    #expect(metrics.text.hasSuffix("\n") && types["dualnorm_requests_total"] == "counter")
    #expect(metrics.text.contains("\ndualnorm_segmentations_total{model=\"run\"} 2\n"))
    #expect(metrics.text.contains(#"dualnorm_requests_total{method="POST",route="/infer/{model}",status="200"} 2"#))
    #expect(!metrics.text.contains("strange") && metrics.text.contains("an unknown address"))
  }

  @Test(
    .enabled(if: TestEnvironment.isThere, "needs MONAI Label's client; make test-env gets it"),
    arguments: [false, true])
  func itsOwnClient(withToken: Bool) throws {
    let data = try Tiny.copyOfData(to: folder.file("data"))
    let label = try Data(contentsOf: data.appendingPathComponent("Site-B/Case01_segmentation.nii.gz"))
    try label.write(to: folder.file("label.nii.gz"))
    for name in ["all_list.txt", "Case01_segmentation.nii.gz", "Case02_segmentation.nii.gz"] {
      try? FileManager.default.removeItem(at: data.appendingPathComponent("Site-B/\(name)"))
    }
    let secret = "a-secret-of-tests"
    try Data(secret.utf8).write(to: folder.file("token"))
    try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: folder.file("token").path)
    let server = try RunningServer(
      [Tiny.run.path, "--data", data.path] + (withToken ? ["--token", folder.file("token").path] : []))
    let scan = data.appendingPathComponent("Site-B/Case01.nii.gz")
    let text = try TestEnvironment.output(of: [
      TestEnvironment.tool("serve_client.py"), "http://127.0.0.1:\(server.port)", scan.path, "Site-B/Case01",
      folder.file("label.nii.gz").path, secret,
    ])
    let found = try #require(try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any], "\(text)")
    func digest(_ data: Data) -> String {
      var hash = SHA256()
      hash.add(data)
      return hash.finished.map { String(format: "%02x", $0) }.joined()
    }
    let masks = try #require(found["infer"] as? [String: [String: [String: Any]]])
    for (model, options) in [("run", [String]()), ("run_first", ["--first-pass"])] {
      let expected = try digest(
        options.isEmpty ? Predicted.mask(Tiny.run, scan) : Predicted.mask(Tiny.run, scan, "--first-pass"))
      let ways = try #require(masks[model])
      #expect(ways["nifti"]?["mask"] as? String == expected)
      #expect(Set(["session", "image", "file"].map { ways[$0]?["mask"] as? String }).count == 1)
      #expect(ways["session"]?["name"] as? String == "mask.nrrd")
    }
    #expect(found["auth_enabled"] as? Bool == withToken && found["is_training"] as? Bool == false)
    let next = try #require(found["next_sample"] as? [String: [String: Any]])
    #expect(Set(next.keys) == ["random", "uncertain", "site-balanced"])
    #expect(next.values.allSatisfy { ["Site-B/Case01", "Site-B/Case02"].contains($0["id"] as? String) })
    let saved = data.appendingPathComponent("Site-B/Case01_segmentation.nii.gz")
    #expect(try found["download_label"] as? String == digest(Data(contentsOf: saved)))
    #expect(try LabelMap(contentsOf: saved).voxels == LabelMap(contentsOf: folder.file("label.nii.gz")).voxels)
    #expect(found["removed_session"] as? Int == 404)
  }
}
