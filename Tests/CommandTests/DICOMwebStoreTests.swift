import Basics
import Foundation
import Testing

@testable import MedicalImaging

/// Answers to a store.
@Suite(.endsSomeTime) struct DICOMwebStoreTests {
  private static func failed(_ status: Int, reason: Int) -> ScriptedServer.Answer {
    .json(
      #"{"00081198": {"vr": "SQ", "Value": [{"00081197": {"vr": "US", "Value": [\#(reason)]}}]}}"#, status: status)
  }

  private static let stored = #"{"00081198": {"vr": "SQ"}, "00081199": {"vr": "SQ", "Value": [{}]}}"#

  /// Stores two files, the second of which gets the answer.
  ///
  /// - Parameter first: the answer that the first one gets.
  private func store(
    _ answer: ScriptedServer.Answer, first: ScriptedServer.Answer = .json(stored)
  ) throws -> (server: ScriptedServer, refusal: String?) {
    let server = try ScriptedServer { request in
      request.body.range(of: Data("1.2.826.0.1.3680043.10.1234.5.6".utf8)) == nil ? answer : first
    }
    let one = contents(of: DICOMwebCommands.oblique).map(DICOMwebCommands.oblique.appendingPathComponent)
      .first { (try? DICOMFile($0).text(.sopInstance)) == "1.2.826.0.1.3680043.10.1234.5.6" }!
    let address = try DICOMwebAddress("dicomweb+http://127.0.0.1:\(server.port)/web")
    let second = fixtures.appendingPathComponent("dicom/rle.dcm")
    do {
      try DICOMwebServer(address).store([one, second]) { _, _ in true }
    } catch let refusal as Refusal {
      return (server, refusal.description.replacing("\(address.server): ", with: ""))
    }
    return (server, nil)
  }

  @Test func theRequest() throws {
    let (server, refusal) = try store(.json(Self.stored))
    #expect(refusal == nil && server.requests.count == 2)
    let request = try #require(server.requests.last)
    let boundary = try #require(request.head.firstMatch(of: /type="application\/dicom"; boundary=(\S+)/)).1
    let bytes = try Data(contentsOf: fixtures.appendingPathComponent("dicom/rle.dcm"))
    #expect(request.names("POST /web/studies HTTP/1.1"))
    #expect(
      request.body == Data("--\(boundary)\r\nContent-Type: application/dicom\r\n\r\n".utf8) + bytes
        + Data("\r\n--\(boundary)--\r\n".utf8))
  }

  /// A server may close a kept connection just when the next request comes, which is then sent again.
  @Test func aConnectionThatWasKept() throws {
    let body = Self.stored
    let kept = """
      HTTP/1.1 200 OK\r\nContent-Type: application/dicom+json\r\nContent-Length: \(body.utf8.count)\r\n\r\n\(body)
      """
    let (server, refusal) = try store(.json(body), first: .init(bytes: Data(kept.utf8), then: .deafness))
    #expect(refusal == nil && server.requests.count == 2)
    let bytes = try Data(contentsOf: fixtures.appendingPathComponent("dicom/rle.dcm"))
    #expect(server.requests.last?.body.range(of: bytes) != nil)
  }

  @Test func whatCountsAsStored() throws {
    #expect(try store(.json(Self.stored, status: 202)).refusal == nil)  // with a warning
    #expect(try store(ScriptedServer.Answer(200, "text/plain")).refusal == nil)
    #expect(try store(ScriptedServer.Answer(204, "")).refusal == nil)
  }

  @Test(
    arguments: [
      (failed(202, reason: 0x0122), "status 202, failure reason 0122, class not supported"),
      (failed(409, reason: 0xA700), "status 409, failure reason A700, out of resources"),
      (failed(200, reason: 0xC000), "status 200, failure reason C000, not understood"),
      (.json("{}", status: 202), "status 202"), (ScriptedServer.Answer(409, "text/plain"), "status 409"),
    ]) func refusals(answer: ScriptedServer.Answer, status: String) throws
  {
    #expect(try store(answer).refusal == "refuses to store file 2 of 2 (\(status)); look into the server's log.")
  }

  @Test func otherStatuses() throws {
    #expect(
      try store(ScriptedServer.Answer(413, "text/plain")).refusal
        == "does not take a file of this size (status 413); store it in another way.")
    #expect(
      try store(ScriptedServer.Answer(200, "text/html")).refusal
        == "has no DICOMweb at this path (status 200); check the path, such as /dicom-web.")
    #expect(
      try store(ScriptedServer.Answer(500, "text/plain")).refusal
        == "refuses to store a file (status 500); look into the server's log.")
  }
}
