import Basics
import Testing

@testable import MedicalImaging

/// Addresses of DICOM servers and of series on them.
@Suite struct DICOMAddressTests {
  @Test func aServerAndASeries() throws {
    let server = try DICOMAddress("dicom://PACS@pacs.example.org:104")
    #expect(server.title == "PACS" && server.host == "pacs.example.org" && server.port == 104)
    #expect(server.series == nil && server.study == nil)
    let series = try DICOMAddress("dicom://PACS@10.0.0.7:11112/1.2.840.5")
    #expect(series.series == "1.2.840.5" && series.study == nil && series.server == "dicom://PACS@10.0.0.7:11112")
    let both = try DICOMAddress("dicom://PACS@10.0.0.7:11112/1.2.840.4/1.2.840.5")
    #expect(both.series == "1.2.840.5" && both.study == "1.2.840.4")
  }

  @Test(arguments: ["A", "MAIN PACS", "a@b", "WARD/3", "X:Y", "SIXTEEN-LETTERS!", " PACS "])
  func titles(_ title: String) throws {
    let address = try DICOMAddress("dicom://\(title)@host:1/1.2")
    #expect(address.title == (title == " PACS " ? "PACS" : title) && address.series == "1.2")
  }

  @Test(
    arguments: [
      ("dicom://host:104", "does not begin with the server's title"),
      ("dicom://@host:104", "does not begin with the server's title"),
      ("dicom://   @host:104", "does not begin with the server's title"),
      ("dicom://SEVENTEEN-LETTERS@host:104", "does not begin with the server's title"),
      ("dicom://A\\B@host:104", "does not begin with the server's title"),
      ("dicom://PÄCS@host:104", "does not begin with the server's title"),
      ("dicom://PACS@host", "has no host and port"), ("dicom://PACS@:104", "has no host and port"),
      ("dicom://PACS@host:0", "has no host and port"), ("dicom://PACS@host:65536", "has no host and port"),
      ("dicom://PACS@host:+5", "has no host and port"), ("dicom://PACS@ho st:5", "has no host and port"),
      ("dicom://PACS@::1:104", "has no host and port"),
      ("dicom://PACS@[::1]:104", "has an IPv6 address, which DCMTK does not reach"),
      ("dicom://PACS@host:104/", "has another end than a series"),
      ("dicom://PACS@host:104/..", "has another end than a series"),
      ("dicom://PACS@host:104/1.2.", "has another end than a series"),
      ("dicom://PACS@host:104/1.x", "has another end than a series"),
      ("dicom://PACS@host:104/1.2/3/4", "has another end than a series"),
      ("dicom://PACS@host:104/\(String(repeating: "1", count: 65))", "has another end than a series"),
      ("http://host", "is no address of a DICOM server"),
    ])
  func refusals(_ text: String, _ found: String) throws {
    let refusal = #expect(throws: Refusal.self) { try DICOMAddress(text) }
    #expect(refusal?.subject == text && refusal?.found == found)
  }

  @Test func theProgramsOwnTitle() throws {
    let address = try DICOMAddress("dicom://PACS@host:104")
    #expect(try DICOMServer(address).ownTitle == "DUALNORM")
    #expect(throws: Refusal(.input, "\(Setting.aet) SEVENTEEN-LETTERS", DICOMAddress.aboutTitles)) {
      try DICOMServer(address, ownTitle: "SEVENTEEN-LETTERS")
    }
  }
}
