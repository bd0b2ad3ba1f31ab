import Foundation
import Testing

@testable import MedicalImaging

/// Debian's Orthanc with its DICOMweb, for one user with a password, on a free port of this machine.
struct OrthancWeb: Sendable {
  private static let plugin = "/usr/share/orthanc/plugins/libOrthancDicomWeb.so"
  private static let openssl = "/usr/bin/openssl"
  static let isThere =
    Orthanc.isThere && [plugin, openssl].allSatisfy { FileManager.default.fileExists(atPath: $0) }
  static let (user, password) = ("reader", "pass:word ü")

  /// One server for all tests, and the same one behind a proxy that encrypts by a certificate of a self-made authority.
  ///
  /// Debian 12's Orthanc 1.10.1 crashes at the first encrypted connection of its own.
  static var shared: OrthancWeb { get throws { try plain.get() } }
  static var encrypted: OrthancWeb { get throws { try tls.get() } }
  private static let plain = Result { try OrthancWeb() }
  private static let tls = Result { try OrthancWeb(behind: shared) }

  let port: UInt16
  let scheme: String
  private let process: ServerProcess

  /// The self-made authority's certificate.
  var authority: URL { process.folder.appendingPathComponent("ca.pem") }

  private init() throws {
    (port, scheme) = (try Loopback.freePort(), "dicomweb+http")
    process = try ServerProcess(
      orthanc: "web", port,
      [
        "HttpPort": Int(port), "HttpBindAddresses": ["127.0.0.1"], "DicomServerEnabled": false,
        "AuthenticationEnabled": true, "RegisteredUsers": [Self.user: Self.password], "RemoteAccessAllowed": true,
        "OverwriteInstances": true, "Plugins": [Self.plugin], "DicomWeb": ["Enable": true, "Root": "/dicom-web/"],
      ])
  }

  private init(behind server: OrthancWeb) throws {
    let port = try Loopback.freePort()
    (self.port, scheme) = (port, "dicomweb+https")
    process = try ServerProcess("tls", port) { folder in
      try Self.makeCertificates(in: folder)
      let certificate = folder.appendingPathComponent("server.pem").path
      return ["/usr/bin/env", "python3", "-c", Self.proxy, certificate, "\(port)", "\(server.port)"]
    }
  }

  /// Passes what comes encrypted to a port on to another one.
  private static let proxy = """
    import asyncio, ssl, sys
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(sys.argv[1])
    async def pump(reader, writer):
        try:
            while data := await reader.read(65536):
                writer.write(data)
                await writer.drain()
        except OSError:
            pass
        writer.close()
    async def serve(reader, writer):
        inner_reader, inner_writer = await asyncio.open_connection("127.0.0.1", int(sys.argv[3]))
        await asyncio.gather(pump(reader, inner_writer), pump(inner_reader, writer))
    async def main():
        server = await asyncio.start_server(serve, "127.0.0.1", int(sys.argv[2]), ssl=context)
        await server.serve_forever()
    asyncio.run(main())
    """

  /// Makes an authority, ca.pem, and by it the certificate and key of 127.0.0.1, server.pem.
  private static func makeCertificates(in folder: URL) throws {
    let script = """
      set -e
      cd "$1"
      new="-newkey rsa:2048 -nodes -sha256"
      "$0" req -x509 $new -keyout ca.key -out ca.pem -days 2 -subj "/CN=Authority of the tests"
      "$0" req $new -keyout server.key -out server.csr -subj "/CN=server of the tests"
      echo subjectAltName=IP:127.0.0.1 >names
      "$0" x509 -req -in server.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 -extfile names -out server.crt
      cat server.crt server.key >server.pem
      """
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/bin/sh")
    process.arguments = ["-c", script, openssl, folder.path]
    process.standardError = FileHandle.nullDevice
    try process.run()
    process.waitUntilExit()
    try #require(process.terminationStatus == 0)
  }

  /// The address of the server.
  var address: String { "\(scheme)://127.0.0.1:\(port)/dicom-web" }

  /// The server as these tests call it.
  func server(_ end: String = "") throws -> DICOMwebServer {
    DICOMwebServer(
      try DICOMwebAddress(address + end), credentials: .password(user: Self.user, password: Self.password),
      authorities: scheme.hasSuffix("s") ? authority : nil)
  }

  func store(_ files: [URL]) throws { try server().store(files) { _, _ in true } }

  /// The files of a series.
  func fetch(_ study: String, _ series: String, into folder: URL) throws -> [URL] {
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    try server("/studies/\(study)/series/\(series)").fetch(into: folder) { _, _ in true }
    return contents(of: folder).map(folder.appendingPathComponent)
  }

  /// The body of an answer.
  func get(_ path: String, accept: String) throws -> Data {
    let server = try server()
    let client = try HTTPClient(server.credentials, authorities: nil, isDirect: true, server.limits)
    var (status, body) = (0, Data())
    try client.run(
      "\(server.address.url)/\(path)", headers: ["Accept: \(accept)"],
      .init(watcher: { true }, begin: { found, _ in status = found }, receive: { body += $0 }))
    try #require(status == 200)
    return body
  }
}
