import Foundation
import TestSupport
import Testing

@testable import DualNorm
@testable import DualNormCLI

/// Messages of a running training.
@Suite struct TrainMessagesTests {
  let folder: TemporaryFolder
  private var run: RunFolder { RunFolder(folder.file("run")) }

  init() throws { folder = try TemporaryFolder() }

  private var arguments: [String] {
    get throws { try Brief.arguments(run).filter { $0 != "--quiet" } }
  }

  /// Text without a terminal: sentences and validations, one per line.
  @Test func text() throws {
    let lines = try dualnorm(arguments).errors.split(separator: "\n")
    let time = /Time: about .+ on this machine \(.+ s a step of the plain stage, .+ s a step of the dual stage\)\./
    let place = try #require(lines.firstIndex { $0.wholeMatch(of: time) != nil })
    #expect(place < lines.firstIndex { $0.hasPrefix("plain ") } ?? 0)
    #expect(
      lines.contains {
        $0.wholeMatch(of: /plain 10\/14: validation Dice 0\.\d+ \(Site-A 0\.\d+, Site-B 0\.\d+\)/) != nil
      })
    #expect(
      lines.last?.hasPrefix("Trained \(run.url.path). No case was held out. Next, with data of other patients: ")
        == true)
  }

  /// Options that fit into an hour: a narrower network, and fewer iterations if needed.
  @Test(arguments: [
    (32, 0.5, "--width 16", 3000.0 + 20), (32, 2.0, "--width 16 --iterations 1100,590", 3400.0),
    (16, 2.0, "--iterations 1100,590", 3400),
  ]) func smallerTrainings(width: Int, step: Double, options: String, seconds: Double) {
    var configuration = TrainingConfiguration()
    configuration.width = width
    let smaller = SmallerTraining(of: configuration, [(.plain, 4000), (.dual, 2000)]) { width in
      #expect(width == 16)
      return TrainingPace(
        [.plain: .init(step: step, validation: 1), .dual: .init(step: step, validation: 1)], validateEvery: nil)
    }
    #expect(smaller.options == options && smaller.seconds == seconds)
  }

  @Test func json() throws {
    let result = try dualnorm(arguments + ["--log-format", "json"])
    let lines = try messagesBesideWarnings(result.errors).split(separator: "\n").map {
      try #require(JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: Any])
    }
    #expect(result.status == 0 && result.output == "")
    let messages = lines.compactMap { $0["message"] as? String }
    #expect(messages.contains { $0.hasPrefix("Split: ") } && messages.last?.hasPrefix("Trained ") == true)
    #expect(lines.allSatisfy { ($0["message"] == nil) != ($0.count == 1) })
    // Validations at 5, 10, 14 and at 5, 8.
    let progress = lines.filter { $0["message"] == nil }
    let done = progress.compactMap { $0["done"] as? Int }
    #expect(done == done.sorted() && Set(done).isSuperset(of: [5, 10, 14, 19, 22]))
    let last = try #require(progress.last)
    #expect(last["stage"] as? String == "dual" && last["iteration"] as? Int == 8 && last["iterations"] as? Int == 8)
    #expect(last["total"] as? Int == 22 && last["seconds_left"] as? Double == 0)
    #expect((last["rate"] as? Double ?? 0) > 0 && (last["learning_rate"] as? Double ?? 0) > 0)
    #expect(last["loss_first"] is Double && last["loss_final"] is Double && progress[0]["loss_final"] == nil)
    let sites = try #require(last["validation_dice_by_site"] as? [[String: Any]])
    #expect(sites.map { $0["site"] as? String } == ["Site-A", "Site-B"])
    let dice = sites.compactMap { $0["dice"] as? Double }
    #expect(abs((last["validation_dice"] as? Double ?? -1) - (dice[0] + dice[1]) / 2) < 1e-12)
  }

  @Test func quietIsSilentInBothFormats() throws {
    let result = try dualnorm(Brief.arguments(run) + ["--log-format", "json"])
    #expect(result.status == 0 && result.output == "" && messagesBesideWarnings(result.errors) == "")
  }

  /// Also for a run killed between checkpoints, which repeats its later iterations.
  @Test(.enabled(if: TestEnvironment.isThere, "needs TensorBoard's reader; make test-env gets it"))
  func tensorBoardShowsWhatTheLogSays() throws {
    let command = try RunningCommand(Brief.arguments(run))
    while command.isRunning, ((try? String(contentsOf: run.log, encoding: .utf8)) ?? "").count < 700 { usleep(200) }
    command.kill()
    _ = try command.finish()
    #expect(try dualnorm(Brief.arguments(run)).status == 0)
    let found = try TensorBoardReader.read(run.events)
    let rows = try String(contentsOf: run.log, encoding: .utf8).split(separator: "\n").dropFirst().map {
      $0.split(separator: ",", omittingEmptySubsequences: false)
    }
    func column(_ index: Int) -> [[Double]] {
      zip(1..., rows).compactMap { step, row in Double(row[index]).map { [Double(step), Double(Float($0))] } }
    }
    let columns = [
      "learning rate": 2, "loss/first pass": 3, "loss/final pass": 4, "loss/hard Dice": 5,
      "validation Dice/mean of sites": 6, "validation Dice/Site-A": 7, "validation Dice/Site-B": 8,
    ]
    #expect(Set(found.scalars.keys) == Set(columns.keys))
    for (name, index) in columns { #expect(found.scalars[name] == column(index), "\(name)") }
    #expect(Set(found.images.keys) == ["slices/Site-A", "slices/Site-B"])
    #expect(found.images["slices/Site-A"]?.map(\.[0]) == [5, 10, 14, 19, 22])
    #expect(found.histograms["weights/inc.block.conv_0.weight"]?.count == 5)
    #expect(found.histograms["gamma/down1.norm_0"]?.count == 2)
  }
}
