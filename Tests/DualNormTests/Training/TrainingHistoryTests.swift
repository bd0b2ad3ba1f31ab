import Foundation
import Testing

@testable import Basics
@testable import DualNorm

@Suite struct TrainingHistoryTests {
  private let file = FileManager.default.temporaryDirectory.appendingPathComponent("log-\(UUID().uuidString).csv")

  private func read(_ text: String) throws -> TrainingHistory {
    try Data(text.utf8).write(to: file)
    defer { try? FileManager.default.removeItem(at: file) }
    return try TrainingHistory(contentsOf: file)
  }

  private let header =
    "stage,iteration,learning_rate,loss_first,loss_final,hard_dice_loss,validation_dice,"
    + "validation_dice_A,\"validation_dice_B, old\"\n"

  @Test func rowsOfBothStages() throws {
    let history = try read(
      header + "plain,1,0.001,2.5,,0.9,,,\nplain,2,0.0005,2.25,,0.8,0.5,0.25,0.75\ndual,1,0.001,2.0,1.5,0.7,,,\n")
    #expect(history.sites == ["A", "B, old"])
    #expect(history.rows.count == 3)
    #expect(history.rows[1].losses == [.first: 2.25] && history.rows[2].losses == [.first: 2, .final: 1.5])
    #expect(history.rows[1].validationDice == ["A": 0.25, "B, old": 0.75])
    #expect(history.rows[1].meanValidationDice == 0.5 && history.rows[0].meanValidationDice == nil)
    #expect(history.stages.map(\.stage) == [.plain, .dual] && history.stages.map(\.iterations) == [2, 1])
  }

  /// A training that is killed while writing leaves an incomplete row.
  @Test func aPartOfALastLineIsLeftOut() throws {
    #expect(try read(header + "plain,1,0.001,2.5,,0.9,,,\nplain,2,0.00").rows.count == 1)
    #expect(try read(header).rows.isEmpty)
  }

  /// A full disk leaves part of a row, which looks like an earlier one: 1 of 14.
  @Test func aPartOfALastLineIsNotKept() throws {
    defer { try? FileManager.default.removeItem(at: file) }
    var state = TrainingState(stage: .plain, schedule: LearningRateSchedule(.cosine, base: 0.001))
    state.iteration = 13
    let rows = (1...13).map { "plain,\($0),0.001,2.5,,0.9,,,\n" }.joined()
    try Data((header + rows + "plain,1").utf8).write(to: file)
    _ = try TrainingLog.open(file, sites: ["A", "B, old"], resumingAt: state)
    #expect(try String(contentsOf: file, encoding: .utf8) == header + rows)
  }

  @Test func refusesWhatNoTrainingWrites() throws {
    func expect(_ sentence: String, _ text: String) {
      #expect(throws: Refusal(.input, sentence: "\(file.path)\(sentence)")) { try read(text) }
    }
    let fields = "(9 fields, the first a stage); restore the log that train wrote."
    expect(", line 3: is no iteration of a training \(fields)", header + "plain,1,0.001,2.5,,0.9,,,\nplain,x,1,,,,,,\n")
    expect(", line 2: is no iteration of a training \(fields)", header + "plain,1,0.001\n")
    for iteration in ["0", "-1", "1000000000001", "9223372036854775807"] {
      expect(", line 2: is no iteration of a training \(fields)", header + "plain,\(iteration),0.001,2.5,,0.9,,,\n")
    }
    expect(
      ", line 1: expected the header stage,iteration,learning_rate,loss_first,loss_final,hard_dice_loss,validation_dice; "
        + "restore the log that train wrote.", "a,b\n1,2\n")
  }
}
