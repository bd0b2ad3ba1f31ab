import Foundation
import Testing

@testable import Basics

/// Names of paths in messages.
@Suite struct PathNamesTests {
  @Test func aNameStandsForItsPath() {
    let folder = URL(fileURLWithPath: "/no/such/\(UUID().uuidString)")
    PathNames.give("the first", to: folder)
    PathNames.give("dicom://A@host:1/1.2", to: folder)
    let refusal = Refusal(.image, folder.path + "/000012.dcm", "is not like \(folder.path)/IM1 in \(folder.path)")
    #expect(
      refusal.description
        == "dicom://A@host:1/1.2, image 12: is not like dicom://A@host:1/1.2/IM1 in dicom://A@host:1/1.2.")
    #expect(printable("/no/such/other") == "/no/such/other")
  }
}
