import Basics
import Foundation
import Testing

/// The next case to label.
@Suite struct ServeStrategyTests {
  let folder: TemporaryFolder
  private let data: URL

  /// Site-A has two labels and a case without one, Site-B three cases without.
  init() throws {
    folder = try TemporaryFolder()
    data = try Tiny.copyOfData(to: folder.file("data"))
    for name in ["A/all_list.txt", "B/all_list.txt"]
      + ["A/Case02", "B/Case00", "B/Case01", "B/Case02"].map({ $0 + "_segmentation.nii.gz" })
    {
      try? FileManager.default.removeItem(at: data.appendingPathComponent("Site-" + name))
    }
  }

  private func next(_ server: RunningServer, _ strategy: String) throws -> [String: Any] {
    let answer = try server.answer(
      "POST", "/activelearning/\(strategy)", Data("{}".utf8), ["Content-Type": "application/json"])
    #expect(answer.status == 200, "\(answer.detail)")
    return answer.json
  }

  private func identifiers(_ count: Int, _ strategy: String, seed: Int = 0) throws -> [String] {
    let server = try RunningServer([Tiny.run.path, "--data", data.path, "--seed", "\(seed)"])
    return try (0..<count).map { _ in try #require(next(server, strategy)["id"] as? String) }
  }

  @Test func sitesWithFewLabelsComeFirst() throws {
    let chosen = try identifiers(3, "site-balanced")
    // Cases in somebody's hands count as labelled, so the third may be of either site.
    #expect(chosen.prefix(2).allSatisfy { $0.hasPrefix("Site-B/") } && Set(chosen).count == 3, "\(chosen)")
  }

  @Test func aSeedDrawsTheSameCases() throws {
    let chosen = try identifiers(4, "random", seed: 5)
    #expect(try chosen == identifiers(4, "random", seed: 5))
    #expect(
      Set(chosen) == ["Site-A/Case02", "Site-B/Case00", "Site-B/Case01", "Site-B/Case02"], "none in somebody's hands")
  }

  @Test func theLeastCertainComesFirst() throws {
    let server = try RunningServer([Tiny.run.path, "--data", data.path])
    var (weights, chosen) = ([Double](), [String]())
    for _ in 0..<4 {
      let sample = try next(server, "uncertain")
      #expect(sample["scored"] as? Int == 4)
      weights.append(try #require(sample["weight"] as? Double))
      chosen.append(try #require(sample["id"] as? String))
    }
    #expect(weights == weights.sorted(by: >) && Set(chosen).count == 4 && Set(weights).count > 1, "\(weights)")
    // The number of `predict`.
    let scan = data.appendingPathComponent(chosen[0] + ".nii.gz")
    let site = folder.file("alone.nii.gz")
    try FileManager.default.copyItem(at: scan, to: site)
    let predicted = try dualnorm(
      "predict", "--model", Tiny.run.path, "--input", site.path, "--output", folder.file("mask.nii.gz").path,
      "--threads", "1",
      "--uncertainty")
    #expect(predicted.output.contains(fixed(weights[0], decimals: 3)), "\(predicted.output), \(weights)")
  }

  @Test func aSampleToFetch() throws {
    let server = try RunningServer([Tiny.run.path, "--data", data.path])
    let sample = try next(server, "random")
    let identifier = try #require(sample["id"] as? String)
    let file = data.appendingPathComponent(identifier + ".nii.gz")
    #expect(sample["path"] as? String == file.path, "a client of this machine opens it")
    var digest = SHA256()
    digest.add(try Data(contentsOf: file))
    let checksum = "SHA256:" + digest.finished.map { String(format: "%02x", $0) }.joined()
    #expect(sample["checksum"] as? String == checksum)
    let image = try server.answer("GET", "/datastore/image?image=\(identifier)")
    #expect(try image.body == Data(contentsOf: file))
    let name = try #require(sample["name"] as? String)
    #expect(image.headers["content-disposition"] == #"attachment; filename="\#(name)""#)
    #expect(try server.answer("HEAD", "/datastore/image?image=\(identifier)&check_sum=\(checksum)").status == 200)
    #expect(try server.answer("POST", "/activelearning/guess", Data("{}".utf8)).status == 404)
    let without = try RunningServer([Tiny.run.path])
    let refused = try without.answer("POST", "/activelearning/random", Data("{}".utf8))
    #expect(refused.status == 404 && refused.detail.contains("--data"))
    #expect((try without.answer("GET", "/info/").json["strategies"] as? [String: Any])?.isEmpty == true)
  }
}
