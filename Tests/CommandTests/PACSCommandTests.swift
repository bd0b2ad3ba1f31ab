import Basics
import Foundation
import Testing

@testable import MedicalImaging

/// Prediction from a DICOM server and onto it, against Debian's Orthanc.
@Suite(.enabled(if: Orthanc.isThere, "needs orthanc"), .endsSomeTime) struct PACSCommandTests {
  let folder: TemporaryFolder
  let orthanc: Orthanc
  private static let oblique = fixtures.appendingPathComponent("dicom/oblique")
  private static let root = "1.2.826.0.1.3680043.10.1234"
  private let series = "\(root).5"
  /// The server with a series, stored once: a fetch may not meet its replacement.
  private static let filled = Result {
    try Orthanc.shared.store(contents(of: oblique).map(oblique.appendingPathComponent))
    return try Orthanc.shared
  }

  init() throws {
    folder = try TemporaryFolder()
    orthanc = try Self.filled.get()
    try FileManager.default.createDirectory(at: folder.file("temporary"), withIntermediateDirectories: true)
  }

  private func arguments(_ input: String, _ output: String, _ options: String...) throws -> [String] {
    [
      "predict", "--model", try Tiny.run.path, "--input", input, "--output", folder.file(output).path, "--threads", "1",
    ] + options
  }

  /// Runs a command with a temporary folder of its own, which must be empty in the end.
  private func run(_ arguments: [String]) throws -> (status: Int32, output: String, errors: String) {
    let result = try dualnorm(arguments, limits: "export TMPDIR='\(folder.file("temporary").path)'")
    #expect(contents(of: folder.file("temporary")) == [])
    return result
  }

  private func expect(_ sentence: String, of arguments: [String]) throws {
    let result = try run(arguments + ["--quiet"])
    #expect(result.status == 1 && result.output == "" && result.errors == "Error: \(sentence)\n")
    #expect(contents(of: folder.url) == ["temporary"])
  }

  /// The bytes of a file after its meta header, which names the program that wrote it.
  private func dataSet(_ file: URL) throws -> Data {
    let bytes = try Data(contentsOf: file)
    let length = (0..<4).reduce(0) { $0 | Int(bytes[140 + $1]) << (8 * $1) }
    return bytes.dropFirst(144 + length)
  }

  /// The bytes of the last element, the pixels. Sequences before them may be encoded anew.
  private func pixels(_ file: URL) throws -> Data {
    let bytes = try Data(contentsOf: file)
    return try bytes[#require(bytes.range(of: Data([0xe0, 0x7f, 0x10, 0x00]), options: .backwards)).lowerBound...]
  }

  @Test func theMaskIsTheOneOfTheFiles() throws {
    for (input, output) in [(orthanc.address(series), "server"), (Self.oblique.path, "files")] {
      let result = try run(arguments(input, "\(output).nii.gz", "--quiet"))
      #expect(result.status == 0 && result.output == "" && messagesBesideWarnings(result.errors) == "")
    }
    let files = try ["server", "files"].map { try Data(contentsOf: folder.file("\($0).nii.gz")) }
    #expect(files[0] == files[1])
    // In a folder, the mask has the name of the series. The study may be named too.
    let study = orthanc.address("\(Self.root).9/\(series)")
    #expect(try run(arguments(study, "masks", "--quiet")).status == 0)
    #expect(try Data(contentsOf: folder.file("masks/\(series).nii.gz")) == files[0])
  }

  @Test func theSegmentationIsStored() throws {
    let result = try run(
      arguments(orthanc.address(series), "mask.dcm", "--store", orthanc.address()))
    #expect(result.status == 0 && result.errors.contains("1 mask stored on \(orthanc.address()).\n"))
    let mask = folder.file("mask.dcm")
    let written = try DICOMFile(mask)
    let stored = try orthanc.fetch(try #require(written.text(.series)), into: folder.file("stored"))
    #expect(try stored.map { try DICOMFile($0).text(.sopInstance) } == [written.text(.sopInstance)])
    #expect(try stored.map(pixels) == [pixels(mask)])
  }

  @Test func everyCompressionStays() throws {
    for name in ["jpeg-ls", "rle", "jpeg-lossless", "implicit", "big-endian"] {
      let file = fixtures.appendingPathComponent("dicom/\(name).dcm")
      try orthanc.store([file])
      let fetched = try orthanc.fetch("\(Self.root).7", into: folder.file(name))
      #expect(try fetched.map(dataSet) == [dataSet(file)], "\(name)")
      #expect(try DICOMFile(fetched[0]).text(.transferSyntax) == DICOMFile(file).text(.transferSyntax), "\(name)")
    }
  }

  @Test func refusals() throws {
    let address = orthanc.address()
    try expect(
      "\(address): has no series 1.2.3; check the UID.", of: arguments(orthanc.address("1.2.3"), "mask.nii.gz"))
    let other = "dicom://OTHER@127.0.0.1:\(orthanc.port)"
    try expect(
      "\(other): refuses the title OTHER, since its own is another; give the server's title (AET).",
      of: arguments("\(other)/\(series)", "mask.nii.gz"))
    try expect(
      "\(address): ended the association itself; see that the server allows the title STRANGER, or give an allowed one "
        + "(--aet).", of: arguments(orthanc.address(series), "mask.nii.gz", "--aet", "STRANGER"))
    let nobody = try Loopback.freePort()
    try expect(
      "\(orthanc.address(port: nobody)): cannot be reached (Connection refused); check host and port, and that the server "
        + "runs.", of: arguments(orthanc.address(series, port: nobody), "mask.nii.gz"))
  }

  /// Answers of these lengths end within the association, the search, and the images.
  @Test(arguments: [(100, ""), (1500, ""), (6000, " after 1 of 5 files")])
  func aServerThatCutsTheConnection(bytes: Int, progress: String) throws {
    let proxy = try FailingProxy(to: orthanc.port, passing: bytes, then: .cut)
    try expect(
      "\(orthanc.address(port: proxy.port)): the connection was cut\(progress); try again.",
      of: arguments(orthanc.address(series, port: proxy.port), "mask.nii.gz"))
  }

  @Test func aSilentServerAndCtrlC() throws {
    let proxy = try FailingProxy(to: orthanc.port, passing: 6000, then: .silence)
    let command = try RunningCommand(
      arguments(orthanc.address(series, port: proxy.port), "mask.nii.gz"),
      limits: "export TMPDIR='\(folder.file("temporary").path)'")
    while !proxy.hasFailed, command.isRunning { Thread.sleep(forTimeInterval: 0.05) }
    #expect(contents(of: folder.file("temporary")) != [])
    command.interrupt()
    let result = try command.finish()
    #expect(result.status == 130 && result.errors.hasSuffix("Stopped; nothing is segmented.\n"))
    #expect(contents(of: folder.url) == ["temporary"])
  }

  @Test func aMaskStaysWhereItCannotBeStored() throws {
    let nobody = orthanc.address(port: try Loopback.freePort())
    let mask = folder.file("mask.dcm")
    let unreached = try run(arguments(Self.oblique.path, "mask.dcm", "--quiet", "--store", nobody))
    #expect(unreached.status == 1 && FileManager.default.fileExists(atPath: mask.path))
    #expect(
      unreached.errors.hasSuffix(
        "Error: \(nobody): cannot be reached (Connection refused); check host and port, and that the server runs. The mask "
          + "\(mask.path) stays.\n"))
    let stranger = try run(
      arguments(Self.oblique.path, "mask.dcm", "--quiet", "--store", orthanc.address(), "--aet", "STRANGER"))
    #expect(stranger.status == 1 && stranger.errors.hasSuffix("The mask \(mask.path) stays.\n"))
  }
}

/// Options of servers that contradict each other.
@Suite struct PACSUsageTests {
  private func expect(_ sentence: String, of options: String...) throws {
    try expectRefusal(sentence, status: 64, of: ["predict", "--model", "run"] + options)
  }

  @Test func wrongUsage() throws {
    let (server, series) = ("dicom://PACS@host:104", "dicom://PACS@host:104/1.2.3")
    try expect(
      "\(server): names no series; give its Series Instance UID after the port: HOST:PORT/SERIES.",
      of: "--input", server, "--output", "mask.nii.gz")
    try expect(
      "--store \(series): names a series; give the server alone.",
      of: "--input", series, "--output", "mask.dcm", "--store", series)
    try expect(
      "--input names both files and series of a server; give all as one of the two.",
      of: "--input", series, "--input", "scan.nii.gz", "--output", "mask.nii.gz")
    try expect(
      "--series chooses a series of a folder, and --input names the series; leave --series out.",
      of: "--input", series, "--series", "3", "--output", "mask.nii.gz")
    try expect(
      "--store sends DICOM segmentations; name the output .dcm, or give --format dicom.",
      of: "--input", "folder", "--output", "mask.nii.gz", "--store", server)
    try expect(
      "--aet is a title for dicom:// servers, and no option names one; leave --aet out.",
      of: "--input", "folder", "--output", "mask.dcm", "--aet", "MINE")
    try expect(
      "--aet A\\B: a title (AET) has 1 to 16 characters of ASCII, and no backslash.",
      of: "--input", series, "--output", "mask.dcm", "--aet", "A\\B")
    try expect(
      "dicom://PACS@host/1.2.3: has no host and port; give AET@HOST:PORT, with a port from 1 to 65535.",
      of: "--input", "dicom://PACS@host/1.2.3", "--output", "mask.nii.gz")
  }

  @Test func wrongUsageOfDICOMweb() throws {
    let server = "dicomweb+https://host/web"
    let series = "\(server)/studies/1.2/series/1.2.3"
    try expect(
      "\(server)/studies/1.2: names no series; give study and series by their UIDs: /studies/STUDY/series/SERIES.",
      of: "--input", "\(server)/studies/1.2", "--output", "mask.nii.gz")
    try expect(
      "--store \(series): names a series; give the server alone.",
      of: "--input", series, "--output", "mask.dcm", "--store", series)
    try expect(
      "--store \(server)/studies/1.2: names a study; give the server alone.",
      of: "--input", series, "--output", "mask.dcm", "--store", "\(server)/studies/1.2")
    try expect(
      "--aet is a title for dicom:// servers, and no option names one; leave --aet out.",
      of: "--input", series, "--output", "mask.nii.gz", "--aet", "MINE")
    try expect(
      "--credentials are for DICOMweb servers, and no option names one; leave --credentials out.",
      of: "--input", "dicom://PACS@host:104/1.2.3", "--output", "mask.nii.gz", "--credentials", "file")
    try expect(
      "--credentials are for one server, and the addresses name several; use one command for each.",
      of: "--input", series, "--output", "mask.dcm", "--store", "dicomweb+https://host:444/web", "--credentials", "file"
    )
    try expect(
      "--ca is for servers at dicomweb+https://, and no option names one; leave --ca out.",
      of: "--input", "dicomweb+http://host/web/studies/1.2/series/1.2.3", "--output", "mask.nii.gz", "--ca", "file")
    try expect(
      "--input names a URL; give a series as dicomweb+https://HOST/PATH/studies/STUDY/series/SERIES.",
      of: "--input", "https://host/web/studies/1.2/series/1.2.3", "--output", "mask.nii.gz")
    try expect(
      "dicomweb+https://host/web: names a user before the host; leave the user out, and give it by --credentials.",
      of: "--input", "dicomweb+https://reader:secret@host/web", "--output", "mask.nii.gz")
  }
}
