import Basics
import Foundation
import Testing

@testable import MedicalImaging

/// What the tests of DICOMweb share: a temporary folder, a file of credentials, and commands.
struct DICOMwebCommands {
  let folder: TemporaryFolder
  static let oblique = fixtures.appendingPathComponent("dicom/oblique")
  static let root = "1.2.826.0.1.3680043.10.1234"
  static let (study, series) = ("\(root).9", "\(root).5")
  static let end = "/studies/\(study)/series/\(series)"

  init() throws {
    folder = try TemporaryFolder()
    try FileManager.default.createDirectory(at: folder.file("temporary"), withIntermediateDirectories: true)
  }

  /// Makes a file of credentials, outside the folder of results.
  func credentials(_ text: String, mode: Int = 0o600) throws -> String {
    let file = folder.file("credentials")
    try Data(text.utf8).write(to: file)
    try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: file.path)
    return file.path
  }

  var ofReader: String { get throws { try credentials("\(OrthancWeb.user):\(OrthancWeb.password)\n") } }

  func arguments(_ input: String, _ output: String, _ options: String...) throws -> [String] {
    [
      "predict", "--model", try Tiny.run.path, "--input", input, "--output", folder.file(output).path, "--threads", "1",
    ] + options
  }

  /// The environment of a command: a temporary folder of its own.
  var limits: String { "export TMPDIR='\(folder.file("temporary").path)'" }

  /// Runs a command whose temporary folder must be empty in the end.
  func run(_ arguments: [String]) throws -> (status: Int32, output: String, errors: String) {
    let result = try dualnorm(arguments, limits: limits)
    #expect(contents(of: folder.file("temporary")) == [])
    return result
  }

  func expect(_ sentence: String, of arguments: [String], _ location: SourceLocation = #_sourceLocation) throws {
    let result = try run(arguments + ["--quiet"])
    #expect(result.status == 1 && result.output == "", sourceLocation: location)
    #expect(result.errors == "Error: \(sentence)\n", sourceLocation: location)
    #expect(contents(of: folder.url).filter { $0 != "credentials" } == ["temporary"], sourceLocation: location)
  }
}

/// Prediction from a DICOMweb server and onto it, against Debian's Orthanc.
@Suite(.enabled(if: OrthancWeb.isThere, "needs orthanc-dicomweb and openssl"), .endsSomeTime)
struct DICOMwebCommandTests {
  let commands: DICOMwebCommands
  let orthanc: OrthancWeb
  private let series: String
  private var folder: TemporaryFolder { commands.folder }
  /// The servers with a series, stored once.
  private static let plain = Result { try filled(OrthancWeb.shared) }
  private static let encrypted = Result { try filled(OrthancWeb.encrypted) }

  private static func filled(_ server: OrthancWeb) throws -> OrthancWeb {
    let folder = DICOMwebCommands.oblique
    try server.store(contents(of: folder).map(folder.appendingPathComponent))
    return server
  }

  init() throws {
    commands = try DICOMwebCommands()
    orthanc = try Self.plain.get()
    series = orthanc.address + DICOMwebCommands.end
  }

  @Test func theMaskIsTheOneOfTheFiles() throws {
    let credentials = try commands.ofReader
    for (input, output) in [(series, "server"), (DICOMwebCommands.oblique.path, "files")] {
      let options = output == "server" ? ["--credentials", credentials] : []
      let result = try commands.run(commands.arguments(input, "\(output).nii.gz", "--quiet") + options)
      #expect(result.status == 0 && result.output == "" && messagesBesideWarnings(result.errors) == "")
    }
    let files = try ["server", "files"].map { try Data(contentsOf: folder.file("\($0).nii.gz")) }
    #expect(files[0] == files[1])
    // In a folder, the mask has the name of the series.
    #expect(try commands.run(commands.arguments(series, "masks", "--quiet", "--credentials", credentials)).status == 0)
    #expect(try Data(contentsOf: folder.file("masks/\(DICOMwebCommands.series).nii.gz")) == files[0])
  }

  @Test func theSegmentationIsStored() throws {
    let credentials = try commands.ofReader
    let result = try commands.run(
      commands.arguments(series, "mask.dcm", "--store", orthanc.address, "--credentials", credentials))
    #expect(result.status == 0 && result.errors.contains("1 mask stored on \(orthanc.address).\n"))
    let mask = try Data(contentsOf: folder.file("mask.dcm"))
    let written = try DICOMFile(folder.file("mask.dcm"))
    let (found, instance) = (try #require(written.text(.series)), try #require(written.text(.sopInstance)))
    let place = "studies/\(DICOMwebCommands.study)/series/\(found)"
    let answer = try orthanc.get("\(place)/instances", accept: "application/dicom+json")
    let entries = try #require(JSONSerialization.jsonObject(with: answer) as? [[String: Any]])
    #expect(entries.map { DICOMValues($0).text("00080018") } == [instance])
    let whole = try orthanc.get(place, accept: #"multipart/related; type="application/dicom"; transfer-syntax=*"#)
    #expect(whole.range(of: mask) != nil)
  }

  @Test func everyFileStaysAsItIs() throws {
    let names = contents(of: DICOMwebCommands.oblique)
    let fetched = try orthanc.fetch(
      DICOMwebCommands.study, DICOMwebCommands.series, into: folder.file("oblique"))
    let bytes = try fetched.map { try Data(contentsOf: $0) }
    #expect(
      Set(bytes) == Set(try names.map { try Data(contentsOf: DICOMwebCommands.oblique.appendingPathComponent($0)) }))
    for name in ["jpeg-ls", "rle", "jpeg-lossless", "implicit", "big-endian", "deflated"] {
      let file = fixtures.appendingPathComponent("dicom/\(name).dcm")
      try orthanc.store([file])
      let fetched = try orthanc.fetch(
        DICOMwebCommands.study, "\(DICOMwebCommands.root).7", into: folder.file(name))
      #expect(try fetched.map { try Data(contentsOf: $0) } == [Data(contentsOf: file)], "\(name)")
    }
  }

  @Test func credentials() throws {
    try commands.expect(
      "\(orthanc.address): asks for a user and password, or a token (status 401); give a file of them by --credentials.",
      of: commands.arguments(series, "mask.nii.gz"))
    for wrong in ["reader:secret", "Bearer token"] {
      try commands.expect(
        "\(orthanc.address): does not take the user and password, or token (status 401); check the file of --credentials.",
        of: commands.arguments(series, "mask.nii.gz", "--credentials", commands.credentials(wrong)))
    }
  }

  @Test func unknownPlaces() throws {
    let credentials = try commands.ofReader
    func expect(_ address: String, _ input: String, _ sentence: String) throws {
      try commands.expect(
        "\(address): \(sentence).", of: commands.arguments(input, "mask.nii.gz", "--credentials", credentials))
    }
    try expect(
      orthanc.address, "\(orthanc.address)/studies/\(DICOMwebCommands.study)/series/1.2.3",
      "has no series 1.2.3 in this study; check the UIDs")
    let other = "\(orthanc.scheme)://127.0.0.1:\(orthanc.port)"
    try expect(
      "\(other)/wrong", "\(other)/wrong\(DICOMwebCommands.end)",
      "has no such study, or no DICOMweb at this path (status 404); check the UIDs, and the path before studies")
    let nobody = "\(orthanc.scheme)://127.0.0.1:\(try Loopback.freePort())"
    try expect(
      nobody, nobody + DICOMwebCommands.end,
      "cannot be reached (Connection refused); check host and port, and that the server runs")
  }

  @Test func certificates() throws {
    let server = try Self.encrypted.get()
    let credentials = try commands.ofReader
    let input = server.address + DICOMwebCommands.end
    try commands.expect(
      "\(server.address): its certificate is of an authority that is not trusted here; give the authority's certificate "
        + "by --ca, if you trust it.", of: commands.arguments(input, "mask.nii.gz", "--credentials", credentials))
    let trusting = ["--credentials", credentials, "--ca", server.authority.path]
    let name = server.address.replacing("127.0.0.1", with: "localhost")
    try commands.expect(
      "\(name): its certificate is not valid: it is of another name; check the address, or have the certificate renewed.",
      of: commands.arguments(name + DICOMwebCommands.end, "mask.nii.gz") + trusting)
    let text = folder.file("temporary.pem")
    try Data("text".utf8).write(to: text)
    let result = try commands.run(
      commands.arguments(input, "mask.nii.gz", "--quiet", "--credentials", credentials, "--ca", text.path))
    #expect(
      result.errors == "Error: --ca \(text.path): holds no certificate that can be read; give a PEM file.\n")
    let whole = try commands.run(commands.arguments(input, "mask.dcm", "--store", server.address) + trusting)
    #expect(whole.status == 0 && whole.errors.contains("1 mask stored on \(server.address).\n"))
  }

  @Test func theOtherEncryption() throws {
    let credentials = try commands.ofReader
    let encrypted = try Self.encrypted.get()
    let plain = encrypted.address.replacing("https", with: "http")
    try commands.expect(
      "\(plain): ended the connection without an answer; try again, or give dicomweb+https:// for an encrypted port.",
      of: commands.arguments(plain + DICOMwebCommands.end, "mask.nii.gz", "--credentials", credentials))
    let tls = orthanc.address.replacing("http", with: "https")
    try commands.expect(
      "\(tls): does not agree on encryption (TLS); check the port; an unencrypted one takes dicomweb+http://.",
      of: commands.arguments(tls + DICOMwebCommands.end, "mask.nii.gz", "--credentials", credentials))
  }

  /// A proxy that cuts or keeps silent within the images.
  @Test func aFailingConnection() throws {
    let credentials = try commands.ofReader
    func address(_ proxy: FailingProxy) -> String { "\(orthanc.scheme)://127.0.0.1:\(proxy.port)/dicom-web" }
    let cutting = try FailingProxy(to: orthanc.port, passing: 20_000, then: .cut)
    let result = try commands.run(
      commands.arguments(
        address(cutting) + DICOMwebCommands.end, "mask.nii.gz", "--quiet", "--credentials", credentials))
    #expect(result.status == 1)
    #expect(result.errors.hasPrefix("Error: \(address(cutting)): the connection was cut after "))
    #expect(result.errors.hasSuffix(" of 5 files; try again.\n"))
    let silent = try FailingProxy(to: orthanc.port, passing: 20_000, then: .silence)
    let command = try RunningCommand(
      commands.arguments(address(silent) + DICOMwebCommands.end, "mask.nii.gz", "--credentials", credentials),
      limits: commands.limits)
    while !silent.hasFailed, command.isRunning { Thread.sleep(forTimeInterval: 0.05) }
    let start = Date()
    command.interrupt()
    let stopped = try command.finish()
    #expect(stopped.status == 130 && stopped.errors.hasSuffix("Stopped; nothing is segmented.\n"))
    #expect(Date().timeIntervalSince(start) < 10)
    #expect(contents(of: folder.file("temporary")) == [] && !contents(of: folder.url).contains("mask.nii.gz"))
  }
}
