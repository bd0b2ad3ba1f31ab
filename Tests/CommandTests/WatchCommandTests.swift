import Basics
import Foundation
import Testing

@testable import MedicalImaging
@testable import Watching

/// `dualnorm watch` in a process of its own, which ends with this object.
private final class RunningWatch {
  let command: RunningCommand
  let port: UInt16
  let queue: URL

  /// - Parameter options: the words after the queue's folder.
  init(_ queue: URL, _ options: [String]) throws {
    self.queue = queue
    command = try RunningCommand(
      ["watch", queue.path, "--listen", "127.0.0.1:0", "--threads", "1", "--stable-age", "0.5"] + options)
    var port: UInt16?
    while port == nil {
      let said = try command.errorsSoFar()
      guard command.isRunning else { throw Ended(errors: said) }
      port = said.firstMatch(of: /Taking images as [A-Z]+ on 127\.0\.0\.1:(\d+),/).flatMap { UInt16($0.1) }
      usleep(5000)
    }
    self.port = port!
  }

  deinit { if command.isRunning { command.kill() } }

  struct Ended: Error { let errors: String }
  struct NeverSaid: Error { let words: String, errors: String }

  /// Sends files as a scanner does.
  func send(_ files: [URL], as title: String = "SCANNER") throws {
    try DICOMServer(DICOMAddress("dicom://DUALNORM@127.0.0.1:\(port)"), ownTitle: title).store(files) { _, _ in true }
  }

  /// Waits until the program has said something so many times.
  func wait(for words: String, times: Int = 1) throws {
    let end = Date().addingTimeInterval(120)
    while try command.errorsSoFar().ranges(of: words).count < times {
      guard command.isRunning, Date() < end else { throw NeverSaid(words: words, errors: try command.errorsSoFar()) }
      usleep(20_000)
    }
  }

  func record(of series: String) throws -> SeriesRecord {
    try JSONDecoder().decode(
      SeriesRecord.self, from: Data(contentsOf: queue.appendingPathComponent("series/\(series)/record.json")))
  }

  func mask(of series: String) -> URL { queue.appendingPathComponent("series/\(series)/mask.dcm") }

  func kill() throws {
    command.kill()
    _ = try command.finish()
  }
}

/// Series that come by C-STORE, against Debian's Orthanc as the server that gets the masks.
@Suite(.enabled(if: Orthanc.isThere, "needs orthanc"), .endsSomeTime) struct WatchCommandTests {
  private let folder: TemporaryFolder
  private let orthanc: Orthanc
  private static let oblique = fixtures.appendingPathComponent("dicom/oblique")
  private static let slices = ["00", "IM1", "IM3", "b.dcm", "scan.IMA"].map(oblique.appendingPathComponent)
  private let series = "1.2.826.0.1.3680043.10.1234.5"

  init() throws {
    folder = try TemporaryFolder()
    orthanc = try Orthanc.shared
  }

  private func watch(_ options: String..., store: String? = nil, match: String = "Modality=MR") throws -> RunningWatch {
    try RunningWatch(
      folder.file("queue"),
      ["--model", try Tiny.run.path, "--match", match, "--store", store ?? orthanc.address()] + options)
  }

  /// The bytes of the last element, the pixels.
  private func pixels(_ file: URL) throws -> Data {
    let bytes = try Data(contentsOf: file)
    return try bytes[#require(bytes.range(of: Data([0xe0, 0x7f, 0x10, 0x00]), options: .backwards)).lowerBound...]
  }

  private func expectOnServer(_ mask: URL) throws {
    let written = try DICOMFile(mask)
    let stored = try orthanc.fetch(try #require(written.text(.series)), into: folder.file("stored-\(UUID())"))
    #expect(try stored.map { try DICOMFile($0).text(.sopInstance) } == [written.text(.sopInstance)])
    #expect(try stored.map(pixels) == [pixels(mask)])
  }

  @Test func aSeriesIsSegmentedAndStoredOnce() throws {
    let watch = try watch()
    try watch.send(Array(Self.slices[..<3]))
    try watch.send(Array(Self.slices[3...]), as: "OTHER")
    try watch.wait(for: "Series \(series): the segmentation is stored on \(orthanc.address()).")
    let record = try watch.record(of: series)
    #expect(record.step == .stored && record.images.count == 5 && record.rule == "--model")
    try expectOnServer(watch.mask(of: series))
    // The mask is predict's.
    let predicted = folder.file("predicted.dcm")
    let result = try dualnorm(
      [
        "predict", "--model", try Tiny.run.path, "--input", Self.oblique.path, "--output", predicted.path, "--threads",
        "1",
        "--quiet",
      ])
    #expect(try result.status == 0 && pixels(predicted) == pixels(watch.mask(of: series)))
    // The same series again, and then a doubt of the mask, are told once.
    try watch.send(Self.slices)
    Thread.sleep(forTimeInterval: 1.5)
    watch.command.send(SIGTERM)
    let end = try watch.command.finish()
    #expect(end.status == 0 && end.output == "" && end.errors.ranges(of: " segmented by the rule ").count == 1)
    #expect(end.errors.contains("Series \(series): 5 images segmented by the rule --model in "))
    #expect(end.errors.hasSuffix("Ended; nothing waits in \(watch.queue.path).\n"))
  }

  @Test(.enabled(if: FileManager.default.isExecutableFile(atPath: "/usr/bin/storescp"), "needs dcmtk"))
  func nothingIsLostWhenEitherSideIsKilled() throws {
    let port = try Loopback.freePort()
    let address = "dicom://PACS@127.0.0.1:\(port)"
    var watch = try watch("--quiet", store: address)
    try watch.send(Self.slices)
    try watch.kill()  // before the series is whole
    watch = try self.watch("--quiet", store: address)
    try watch.wait(for: "Series \(series) waits. \(address): cannot be reached (Connection refused)")
    let mask = try Data(contentsOf: watch.mask(of: series))
    try watch.kill()  // before it is stored
    let server = try ServerProcess("storescp", port) { folder in
      try FileManager.default.createDirectory(
        at: folder.appendingPathComponent("got"), withIntermediateDirectories: true)
      return ["/usr/bin/storescp", "-uf", "-od", folder.appendingPathComponent("got").path, "\(port)"]
    }
    watch = try self.watch(store: address)
    try watch.wait(for: "Series \(series): the segmentation is stored on \(address).")
    #expect(try watch.record(of: series).step == .stored)
    try watch.kill()
    watch = try self.watch(store: address)
    try watch.send(Self.slices)
    Thread.sleep(forTimeInterval: 1.5)
    try watch.kill()
    let got = server.folder.appendingPathComponent("got")
    let files = contents(of: got).map(got.appendingPathComponent)
    #expect(files.count == 1)
    #expect(
      try files.map { try DICOMFile($0).text(.sopInstance) } == [DICOMFile(watch.mask(of: series)).text(.sopInstance)])
    #expect(try Data(contentsOf: watch.mask(of: series)) == mask)
  }

  @Test func aSeriesWithAGapFailsUntilTheRestComes() throws {
    let watch = try watch("--quiet")
    try watch.send(Self.slices.filter { $0.lastPathComponent != "scan.IMA" })
    try watch.wait(for: "Error: Series \(series): ")
    let record = try watch.record(of: series)
    #expect(
      record.step == .failed && record.reason?.hasPrefix("a slice is missing between \(series).") == true,
      "\(record.reason ?? "")")
    try watch.send(Self.slices.filter { $0.lastPathComponent == "scan.IMA" })
    while try watch.record(of: series).step != .stored { usleep(20_000) }
    try expectOnServer(watch.mask(of: series))
  }

  @Test func aSeriesThatNoRuleTakes() throws {
    let watch = try watch(match: "Modality=CT")
    try watch.send(Self.slices)
    try watch.wait(for: "Series \(series): no rule takes it (5 images).")
    #expect(try watch.record(of: series).step == .unnamed)
  }

  @Test func rulesInAFile() throws {
    let rules = folder.file("rules.yaml")
    let relative = folder.file("run")
    try FileManager.default.createSymbolicLink(at: relative, withDestinationURL: Tiny.run)
    try Data(
      """
      rules:
        - {name: long, model: run, images: 6, store: "\(orthanc.address())"}
        - {name: t1, model: [run], match: {SeriesDescription: "t1 *"}, store: "\(orthanc.address())"}
      """.utf8
    ).write(to: rules)
    let watch = try RunningWatch(folder.file("queue"), ["--rules", rules.path])
    try watch.send(Self.slices)
    try watch.wait(for: "segmented by the rule t1 in")
  }

  @Test func aProcessThatSegmentationEndsIsNotBegunForEver() throws {
    let watch = try watch("--quiet", "--stable-age", "3600")
    try watch.send(Self.slices)
    try watch.kill()
    // As the third process left it.
    try Data("3".utf8).write(to: watch.queue.appendingPathComponent("series/\(series)/attempts"))
    let next = try self.watch("--quiet")
    try next.wait(for: "Error: Series \(series): the program ended 3 times while it segmented these images.")
    try next.kill()
    let again = try self.watch("--retry")
    try again.wait(for: "Series \(series): the segmentation is stored on")
  }
}

@Suite struct WatchUsageTests {
  private func expect(_ sentence: String, status: Int32 = 64, of options: String...) throws {
    try expectRefusal(sentence, status: status, of: ["watch", "queue"] + options)
  }

  @Test func wrongUsage() throws {
    let store = "dicom://PACS@host:104"
    try expect("Give --rules, or --model and --store.")
    try expect("--rules names the models; leave --model out.", of: "--rules", "file", "--model", "run")
    try expect("--rules holds the rules; leave --match and --store out.", of: "--rules", "file", "--store", store)
    try expect("--model needs --store, the server that gets the segmentations.", of: "--model", "run")
    try expect(
      "--match Modality: has no =; give KEYWORD=PATTERN, such as Modality=MR.",
      of: "--model", "run", "--store", store, "--match", "Modality")
    try expect(
      "--match Modality=CT: is the second pattern of Modality; give one for each.",
      of: "--model", "run", "--store", store, "--match", "Modality=MR", "--match", "Modality=CT")
    try expect(
      "--store \(store)/1.2.3: names a series; give the server alone.", of: "--model", "run", "--store",
      "\(store)/1.2.3")
    try expect(
      "--aet A\\B: a title (AET) has 1 to 16 characters of ASCII, and no backslash.",
      of: "--model", "run", "--store", store, "--aet", "A\\B")
    try expect(
      "--stable-age 0.0: expected seconds from 0.5 to 86400, such as 60.",
      of: "--model", "run", "--store", store, "--stable-age", "0")
    try expect(
      "--keep -1.0: expected hours from 0 to 8760, such as 24.", of: "--model", "run", "--store", store, "--keep=-1")
    try expect(
      "--listen here: expected an address and a port, such as 127.0.0.1:8000 or [::1]:8000.",
      of: "--model", "run", "--store", store, "--listen", "here")
    try expect(
      "--credentials are for DICOMweb servers, and no option names one; leave --credentials out.",
      of: "--model", "run", "--store", store, "--credentials", "file")
  }

  @Test func foldersAndModelsThatCannotBeUsed() throws {
    let folder = try TemporaryFolder()
    let queue = folder.file("queue").path
    try expectRefusal(
      "\(folder.file("none").path): has no model.json, so it is not a run folder; give the folder that train or import wrote.",
      status: 1,
      of: ["watch", queue, "--model", folder.file("none").path, "--store", "dicom://A@b:1"])
    try expectRefusal(
      "\(folder.file("none.yaml").path): cannot be read as text; give a YAML file of options.", status: 1,
      of: ["watch", queue, "--rules", folder.file("none.yaml").path])
    #expect(contents(of: folder.url) == [])
  }
}
