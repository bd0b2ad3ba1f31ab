import Basics
import Foundation
import Testing

@testable import MedicalImaging

/// Each fault is reported once, in a sentence, and never by a library or a signal.
@Suite struct SilenceTests {
  /// MetaIO wrote "ElementType required and not defined." and two more lines before the program's own sentence.
  @Test func librariesPrintNothing() async throws {
    let result = await #expect(processExitsWith: .success, observing: [\.standardErrorContent]) {
      try withFolder { folder in
        let header =
          "ObjectType = Image\nNDims = 3\nDimSize = 2 1 1\nElementSpacing = nan 1 1\nElementType = MET_UCHAR\n"
        let file = folder.appendingPathComponent("a.mha")
        try Data("\(header)ElementDataFile = LOCAL\n12".utf8).write(to: file)
        #expect(throws: Refusal.self) { try Image(contentsOf: file) }
      }
    }
    let errors = String(decoding: result?.standardErrorContent ?? [], as: UTF8.self)
    #expect(!errors.contains("ElementType required") && !errors.contains("Meta"), "\(errors)")
  }

  /// A mapped file would end the process with SIGBUS.
  @Test func aFileThatShrinksWhileItIsRead() throws {
    try withFolder { folder in
      let file = folder.appendingPathComponent("a.dcm")
      let builder = DICOMBuilder()
      let long = builder.element(0x0010_4000, "UT", [UInt8](repeating: 65, count: 200_000))
      try builder.file([0x0010_4000: long]).write(to: file)
      let bytes = try DICOMBytes(file)
      #expect(DICOMStructure.fault(in: bytes) == nil)
      try FileHandle(forWritingTo: file).truncate(atOffset: 1000)
      let fault = DICOMStructure.fault(in: bytes)
      #expect(fault?.found == "it became shorter while it was read" && fault?.advice == "try again")
    }
  }
}
