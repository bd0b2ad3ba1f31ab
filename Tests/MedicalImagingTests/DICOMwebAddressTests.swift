import Basics
import Foundation
import Testing

@testable import MedicalImaging

/// Addresses of DICOMweb servers and of series on them.
@Suite struct DICOMwebAddressTests {
  @Test func aServerAndASeries() throws {
    let server = try DICOMwebAddress("dicomweb+https://pacs.example.org/dicom-web")
    #expect(server.isEncrypted && server.place == "pacs.example.org" && server.path == "/dicom-web")
    #expect(server.study == nil && server.series == nil && server.url == "https://pacs.example.org/dicom-web")
    let series = try DICOMwebAddress("dicomweb+http://10.0.0.7:8042/a/b%20c/studies/1.2/series/1.2.3")
    #expect(!series.isEncrypted && series.place == "10.0.0.7:8042" && series.study == "1.2" && series.series == "1.2.3")
    #expect(series.server == "dicomweb+http://10.0.0.7:8042/a/b%20c")
    let study = try DICOMwebAddress("dicomweb+https://host/studies/1.2/")
    #expect(study.study == "1.2" && study.series == nil && study.path == "" && study.url == "https://host")
    // The path of a service may have the word, too.
    let twice = try DICOMwebAddress("dicomweb+https://host/studies/web/studies/1.2/series/3.4")
    #expect(twice.path == "/studies/web" && twice.series == "3.4")
  }

  @Test(arguments: ["host", "host/", "host:1", "[::1]:8042/web", "[fe80::1]", "a.b-c_d:65535/x/y"])
  func places(_ place: String) throws {
    let address = try DICOMwebAddress("dicomweb+https://\(place)")
    #expect(address.server == "dicomweb+https://\(place.hasSuffix("/") ? String(place.dropLast()) : place)")
  }

  @Test func thisMachine() throws {
    func isLoopback(_ place: String) throws -> Bool { try DICOMwebAddress("dicomweb+http://\(place)/web").isLoopback }
    for place in ["localhost", "LOCALHOST:80", "127.0.0.1", "127.1.2.3:8042", "[::1]", "[::1]:80"] {
      #expect(try isLoopback(place), "\(place)")
    }
    for place in ["localhost.example.org", "127.example.org", "10.0.0.1", "[::12]"] {
      #expect(try !isLoopback(place), "\(place)")
    }
    let far = try DICOMwebAddress("dicomweb+http://10.0.0.1/web")
    #expect(DICOMwebServer(far).warning?.contains("read the images;") == true)
    #expect(DICOMwebServer(far, credentials: .token("x")).warning?.contains("the images and the credentials;") == true)
    #expect(DICOMwebServer(try DICOMwebAddress("dicomweb+https://10.0.0.1/web")).warning == nil)
    #expect(DICOMwebServer(try DICOMwebAddress("dicomweb+http://localhost/web")).warning == nil)
  }

  @Test(
    arguments: [
      ("dicomweb+ftp://host", "is no address of a DICOMweb server"),
      ("dicomweb+https:/host", "is no address of a DICOMweb server"),
      ("dicomweb+https://", "has no host, or another port than 1 to 65535"),
      ("dicomweb+https:///web", "has no host, or another port than 1 to 65535"),
      ("dicomweb+https://:80/web", "has no host, or another port than 1 to 65535"),
      ("dicomweb+https://host:/web", "has no host, or another port than 1 to 65535"),
      ("dicomweb+https://host:0/web", "has no host, or another port than 1 to 65535"),
      ("dicomweb+https://host:65536/web", "has no host, or another port than 1 to 65535"),
      ("dicomweb+https://::1/web", "has no host, or another port than 1 to 65535"),
      ("dicomweb+https://[::1/web", "has no host, or another port than 1 to 65535"),
      ("dicomweb+https://[::1]x/web", "has no host, or another port than 1 to 65535"),
      ("dicomweb+https://ho st/web", "has a character that URLs do not have"),
      ("dicomweb+https://host/wäb", "has a character that URLs do not have"),
      ("dicomweb+https://host/web\r\nX: y", "has a character that URLs do not have"),
      ("dicomweb+https://host/web?key=1", "has a question mark or #"),
      ("dicomweb+https://host/web#x", "has a question mark or #"),
      ("dicomweb+https://host//web", "has an empty part or dots in its path"),
      ("dicomweb+https://host/../web", "has an empty part or dots in its path"),
      ("dicomweb+https://host/studies", "has a study or series that is no UID, of digits and dots"),
      ("dicomweb+https://host/studies/1.x", "has a study or series that is no UID, of digits and dots"),
      ("dicomweb+https://host/studies/1.2/series", "has a study or series that is no UID, of digits and dots"),
      ("dicomweb+https://host/studies/1.2/series/", "has a study or series that is no UID, of digits and dots"),
      ("dicomweb+https://host/studies/1.2/series/..", "has a study or series that is no UID, of digits and dots"),
      ("dicomweb+https://host/studies/1.2/other/1.3", "has a study or series that is no UID, of digits and dots"),
      (
        "dicomweb+https://host/studies/1.2/series/1.3/instances/1.4",
        "has a study or series that is no UID, of digits and dots"
      ),
    ])
  func refusals(_ text: String, _ found: String) throws {
    let refusal = #expect(throws: Refusal.self) { try DICOMwebAddress(text) }
    #expect(refusal?.subject == printable(text) && refusal?.found == found)
  }

  @Test(
    arguments: [
      "https://reader:secret@host/web", "http://reader:secret@host:80/web", "https://reader@host",
      "https://reader:sec/ret@host/web", "https://reader:se@cret@host/web",
    ]) func aPasswordNeverGetsIntoAMessage(_ text: String) throws
  {
    let refusal = try #require(#expect(throws: Refusal.self) { try DICOMwebAddress("dicomweb+\(text)") })
    #expect(refusal.found == "names a user before the host" && refusal.description.contains("//host"))
    for word in ["reader", "sec", "ret"] { #expect(!refusal.description.contains(word)) }
  }
}

/// Files of credentials.
@Suite struct ServerCredentialsTests {
  private func read(_ text: String, mode: Int = 0o600) throws -> ServerCredentials {
    let file = FileManager.default.temporaryDirectory.appendingPathComponent("dualnorm-\(UUID().uuidString)")
    try Data(text.utf8).write(to: file)
    defer { try? FileManager.default.removeItem(at: file) }
    try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: file.path)
    return try ServerCredentials(contentsOf: file)
  }

  @Test func forms() throws {
    for line in ["reader:pass:word ü", "reader:pass:word ü\n", "reader:pass:word ü\r\n"] {
      guard case .password("reader", "pass:word ü") = try read(line) else {
        Issue.record("\(line) is a user and a password")
        continue
      }
    }
    guard case .token("abc.DEF-1") = try read("Bearer abc.DEF-1\n") else {
      Issue.record("this is a token")
      return
    }
  }

  @Test(
    arguments: [
      "", "\n", "secret", ":secret", "Bearer ", "Bearer sec ret", "reader:secret\nreader:secret\n",
      "reader:sec\u{1}ret",
    ]) func refusals(_ text: String) throws
  {
    let refusal = try #require(#expect(throws: Refusal.self) { try read(text) })
    #expect(refusal.found == "does not hold one line, USER:PASSWORD or Bearer TOKEN")
    #expect(!refusal.description.contains("secret"))
  }

  @Test func whoMayReadIt() throws {
    for mode in [0o604, 0o640, 0o644] {
      let refusal = try #require(#expect(throws: Refusal.self) { try read("reader:secret", mode: mode) })
      #expect(refusal.found == "may be read by others" && refusal.remedy.hasPrefix("change that: chmod 600 /"))
    }
    let missing = URL(fileURLWithPath: "/no/such")
    #expect(
      throws: Refusal(
        .input, "\(Setting.credentials) /no/such", "is no file that can be read",
        remedy: "give a file with one line, USER:PASSWORD or Bearer TOKEN")
    ) { try ServerCredentials(contentsOf: missing) }
  }
}
