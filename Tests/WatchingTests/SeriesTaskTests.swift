import Foundation
import Testing

@testable import Watching

/// Decisions about a series, by its images and its record alone.
@Suite struct SeriesTaskTests {
  private func task(_ images: Set<String>, _ step: SeriesRecord.Step, of known: Set<String>) -> SeriesTask {
    SeriesTask(images, SeriesRecord(step, known))
  }

  @Test func aNewSeries() {
    #expect(SeriesTask([], nil) == .nothing)
    #expect(SeriesTask(["1"], nil) == .segment)
  }

  @Test func theSameImagesAreNotSegmentedTwice() {
    for step in [SeriesRecord.Step.stored, .failed, .unnamed] {
      #expect(task(["1", "2"], step, of: ["1", "2"]) == .nothing, "\(step)")
      // A part of them came again, or they were removed.
      #expect(task(["2"], step, of: ["1", "2"]) == .nothing, "\(step)")
      #expect(task([], step, of: ["1", "2"]) == .nothing, "\(step)")
    }
    let record = SeriesRecord(.segmented, ["1", "2"])
    #expect(SeriesTask(["1", "2"], record) == .store(record))
  }

  @Test func laterImages() {
    for step in [SeriesRecord.Step.segmented, .stored, .failed, .unnamed] {
      #expect(task(["1", "2", "3"], step, of: ["1", "2"]) == .segment, "\(step)")
    }
    // The earlier ones are gone.
    for step in [SeriesRecord.Step.segmented, .stored, .unnamed] {
      #expect(task(["3"], step, of: ["1", "2"]) == .refuseRest(["1", "2", "3"]), "\(step)")
      #expect(task(["2", "3"], step, of: ["1", "2"]) == .refuseRest(["1", "2", "3"]), "\(step)")
    }
  }

  @Test func theRestIsNeverSegmentedAlone() {
    var refused = SeriesRecord(.failed, ["1", "2", "3"])
    refused.isPart = true
    #expect(SeriesTask(["3"], refused) == .nothing && SeriesTask(["1", "3"], refused) == .nothing)
    #expect(SeriesTask(["3", "4"], refused) == .refuseRest(["1", "2", "3", "4"]))
    #expect(SeriesTask(["1", "2", "3"], refused) == .segment && SeriesTask(["1", "2", "3", "4"], refused) == .segment)
    #expect(SeriesTask([], refused) == .nothing)
  }

  @Test func recordsOfFewerKeys() throws {
    let text = #"{"images": ["1.2"], "step": "stored"}"#
    let record = try JSONDecoder().decode(SeriesRecord.self, from: Data(text.utf8))
    #expect(record.step == .stored && record.images == ["1.2"] && record.warnings == [] && !record.isPart)
  }

  @Test func recordsAreReadAsTheyWereWritten() throws {
    var record = SeriesRecord(.segmented, ["1.2", "1.10"])
    (record.rule, record.server, record.warnings, record.seconds) = ("liver", "dicom://A@b:1", ["Doubt."], 1.5)
    let data = try JSONEncoder().encode(record)
    #expect(try JSONDecoder().decode(SeriesRecord.self, from: data) == record)
  }
}

@Suite struct ServerPausesTests {
  @Test func pausesDoubleAndEndWithSuccess() {
    var pauses = ServerPauses(first: 10, longest: 35)
    let start = ContinuousClock.now
    #expect(pauses.mayAsk("a", at: start))
    #expect([10, 20, 35, 35] == (0..<4).map { _ in pauses.fail("a", at: start) })
    #expect(
      !pauses.mayAsk("a", at: start + .seconds(34)) && pauses.mayAsk("a", at: start + .seconds(35))
        && pauses.mayAsk("b", at: start))
    pauses.succeed("a")
    #expect(pauses.mayAsk("a", at: start) && pauses.fail("a", at: start) == 10)
    for _ in 0..<2000 { _ = pauses.fail("b", at: start) }
    #expect(pauses.fail("b", at: start) == 35)
  }
}
