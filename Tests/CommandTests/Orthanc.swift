import Foundation
import MedicalImaging
import Testing

/// Debian's Orthanc, a DICOM server, on free ports of this machine. It answers the titles DUALNORM and TESTS alone.
struct Orthanc: Sendable {
  private static let program = "/usr/sbin/Orthanc"
  static let isThere = FileManager.default.isExecutableFile(atPath: program)

  /// One server for all tests.
  static var shared: Orthanc { get throws { try started.get() } }
  private static let started = Result { try Orthanc() }

  let port: UInt16
  /// Ends the server when it is closed, as at the end of this process.
  private let lifeline: FileHandle

  private init() throws {
    port = try Loopback.freePort()
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent("dualnorm-orthanc-\(getpid())")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    let database = folder.appendingPathComponent("database").path
    let configuration: [String: Any] = [
      "StorageDirectory": database, "IndexDirectory": database, "HttpServerEnabled": false, "DicomAet": "ORTHANC",
      "DicomPort": Int(port), "DicomCheckCalledAet": true, "DicomCheckModalityHost": true,
      "DicomAlwaysAllowStore": false, "OverwriteInstances": true,
      "DicomModalities": ["program": ["DUALNORM", "127.0.0.1", 104], "tests": ["TESTS", "127.0.0.1", 104]],
    ]
    try JSONSerialization.data(withJSONObject: configuration).write(to: folder.appendingPathComponent("orthanc.json"))
    let (process, pipe) = (Process(), Pipe())
    process.executableURL = URL(fileURLWithPath: "/bin/sh")
    let script = #""$0" "$1/orthanc.json" >"$1/log" 2>&1 & cat; kill -9 $!; wait; rm -rf "$1""#
    process.arguments = ["-c", script, Self.program, folder.path]
    process.standardInput = pipe
    lifeline = pipe.fileHandleForWriting
    _ = fcntl(lifeline.fileDescriptor, F_SETFD, FD_CLOEXEC)
    try process.run()
    try waitUntilItListens()
  }

  private func waitUntilItListens() throws {
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
