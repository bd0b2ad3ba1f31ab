import Foundation
import MedicalImaging
import Testing

/// Debian's Orthanc, a DICOM server, on free ports of this machine. It answers the titles DUALNORM and TESTS alone.
struct Orthanc: Sendable {
  static let program = "/usr/sbin/Orthanc"
  static let isThere = FileManager.default.isExecutableFile(atPath: program)

  /// One server for all tests.
  static var shared: Orthanc { get throws { try started.get() } }
  private static let started = Result { try Orthanc() }

  let port: UInt16
  private let process: ServerProcess

  private init() throws {
    port = try Loopback.freePort()
    process = try ServerProcess(
      orthanc: "dicom", port,
      [
        "HttpServerEnabled": false, "DicomAet": "ORTHANC", "DicomPort": Int(port), "DicomCheckCalledAet": true,
        "DicomCheckModalityHost": true, "DicomAlwaysAllowStore": false, "OverwriteInstances": true,
        "DicomModalities": ["program": ["DUALNORM", "127.0.0.1", 104], "tests": ["TESTS", "127.0.0.1", 104]],
      ])
  }

  /// The address of the server, or of a series there.
  func address(_ series: String? = nil, port: UInt16? = nil) -> String {
    "dicom://ORTHANC@127.0.0.1:\(port ?? self.port)" + (series.map { "/\($0)" } ?? "")
  }

  func store(_ files: [URL]) throws {
    try DICOMServer(DICOMAddress(address()), ownTitle: "TESTS").store(files) { _, _ in true }
  }

  /// The files of a series.
  func fetch(_ series: String, into folder: URL) throws -> [URL] {
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    try DICOMServer(DICOMAddress(address(series)), ownTitle: "TESTS").fetch(into: folder) { _, _ in true }
    return contents(of: folder).map(folder.appendingPathComponent)
  }
}

/// A server that ends with this process.
struct ServerProcess: Sendable {
  /// The folder of its files, which goes with it.
  let folder: URL
  /// Ends the server when it is closed, as at the end of this process.
  private let lifeline: FileHandle

  /// Starts a server on a port, and waits until it listens.
  ///
  /// - Parameter command: makes files in the folder, and returns the words to start.
  init(_ name: String, _ port: UInt16, command: (URL) throws -> [String]) throws {
    folder = FileManager.default.temporaryDirectory.appendingPathComponent("dualnorm-\(name)-\(getpid())")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    let (process, pipe) = (Process(), Pipe())
    process.executableURL = URL(fileURLWithPath: "/bin/sh")
    let script = #"folder=$0; "$@" >"$folder/log" 2>&1 & cat; kill -9 $!; wait; rm -rf "$folder""#
    process.arguments = ["-c", script, folder.path] + (try command(folder))
    process.standardInput = pipe
    lifeline = pipe.fileHandleForWriting
    _ = fcntl(lifeline.fileDescriptor, F_SETFD, FD_CLOEXEC)
    try process.run()
    try Self.waitUntilItListens(port)
  }

  /// Starts an Orthanc.
  init(orthanc name: String, _ port: UInt16, _ configuration: [String: Any]) throws {
    try self.init("orthanc-\(name)", port) { folder in
      let (database, file) = (
        folder.appendingPathComponent("database").path, folder.appendingPathComponent("orthanc.json")
      )
      let whole = configuration.merging(["StorageDirectory": database, "IndexDirectory": database]) { $1 }
      try JSONSerialization.data(withJSONObject: whole).write(to: file)
      return [Orthanc.program, file.path]
    }
  }

  private static func waitUntilItListens(_ port: UInt16) throws {
    let end = Date().addingTimeInterval(60)
    while Date() < end {
      if let connection = try Loopback.connection(to: port) {
        close(connection)
        return
      }
      Thread.sleep(forTimeInterval: 0.05)
    }
    throw NeverListened()
  }

  private struct NeverListened: Error {}
}
