import Basics
import Foundation
import MedicalImaging
import TestSupport
import Testing

/// Truncated, changed or hostile files give an error, never a crash.
@Suite struct DICOMDamageTests {
  /// The number of changes of each file; higher for longer manual runs.
  private let rounds = ProcessInfo.processInfo.environment["DUALNORM_FUZZ"].flatMap(Int.init) ?? 25

  private static let files = [
    "unsigned16", "implicit", "big-endian", "rle", "jpeg-lossless", "jpeg-ls", "words8", "deflated", "jpeg-2000",
  ]

  @Test(arguments: files) func cutShort(name: String) throws {
    let good = try Data(contentsOf: DICOMReference.folder.appendingPathComponent("\(name).dcm"))
    try withFolder { folder in
      let file = folder.appendingPathComponent("a.dcm")
      var wasRead = 0
      for length in stride(from: 1, to: good.count, by: 11) {
        try good.prefix(length).write(to: file)
        do {
          _ = try Image(contentsOf: folder)
          wasRead += 1
        } catch let error as Refusal {
          #expect(error.description.hasPrefix(file.path))
        }
      }
      // Missing bytes after the last pixel of a compressed file do not matter.
      #expect(wasRead <= (["rle", "jpeg-lossless", "jpeg-ls"].contains(name) ? 8 : 0))
    }
  }

  @Test(arguments: files) func changed(name: String) throws {
    let good = [UInt8](try Data(contentsOf: DICOMReference.folder.appendingPathComponent("\(name).dcm")))
    var state = UInt64(name.utf8.reduce(7) { $0 &* 31 &+ UInt64($1) })
    func random(_ bound: Int) -> Int {
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      return Int(state >> 33) % bound
    }
    try withFolder { folder in
      for _ in 0..<rounds {
        var bytes = good
        for _ in 0...random(4) {
          let place = 132 + random(bytes.count - 132)
          bytes[place] = [0, 0xff, 0x7f, 0x80, UInt8(random(256))][random(5)]
        }
        try Data(bytes).write(to: folder.appendingPathComponent("a.dcm"))
        do {
          let image = try Image(contentsOf: folder)
          #expect(image.voxels.count < 1 << 26)
        } catch is Refusal {}
      }
    }
  }

  /// DCMTK follows sequences by recursion, and ten thousand levels exhaust the stack.
  @Test(arguments: [true, false]) func sequencesNestedDeeply(isExplicit: Bool) throws {
    try withFolder { folder in
      var slice = DICOMSliceFile([1, 2], columns: 2, rows: 1, position: .zero)
      if !isExplicit { slice.syntax = "1.2.840.10008.1.2" }
      let open: [UInt8] = [0xff, 0xff, 0xff, 0xff]
      let level =
        [0x08, 0x00, 0x40, 0x11] + (isExplicit ? Array("SQ".utf8) + [0, 0] : []) + open + [0xfe, 0xff, 0x00, 0xe0]
        + open
      let file = folder.appendingPathComponent("a.dcm")
      if isExplicit {
        slice.raw[0x0008_1140] = Array(repeatElement(level, count: 100_000).joined())
        try slice.write(to: file)
      } else {
        slice.words = [:]
        slice.texts = [:]
        slice.pixels = nil
        slice.raw[0x0008_1140] = Array(repeatElement(level, count: 100_000).joined())
        try slice.write(to: file)
      }
      let error = #expect(throws: Refusal.self) { try Image(contentsOf: folder) }
      #expect(
        error?.description
          == "\(file.path): cannot be read as DICOM: its sequences are nested more than 40 deep; copy it again "
          + "from its source.")
    }
  }

  @Test func whatIsNotDICOM() throws {
    try withFolder { folder in
      let file = folder.appendingPathComponent("a.dcm")
      func expect(_ contents: [UInt8], _ sentence: String) throws {
        try Data(contents).write(to: file)
        let error = #expect(throws: Refusal.self) { try Image(contentsOf: folder) }
        #expect(error?.description == "\(file.path): \(sentence)")
      }
      let start = [UInt8](repeating: 0, count: 128) + Array("DICM".utf8)
      try expect([], "the file is empty; copy it again from its source.")
      try expect(
        Array("no DICOM".utf8),
        "cannot be read as DICOM: it does not begin as DICOM files do, with 128 bytes and DICM; copy it again from its source."
      )
      try expect(
        start, "cannot be read as DICOM: its transfer syntax \"\" is not known; copy it again from its source.")
      let slice = DICOMSliceFile([1], columns: 1, rows: 1, position: .zero)
      try expect(
        start + slice.encoded(0x0002_0010, "UI", Array("1.2.840.10008.1.2.1".utf8) + [0])
          + [0x08, 0, 0x18, 0, 0x3f, 0x3f, 4, 0, 1, 2, 3, 4],
        "cannot be read as DICOM: an unknown kind of value in element (0008,0018); copy it again from its source.")
      try expect(
        start + slice.encoded(0x0002_0010, "UI", Array("1.2.840.10008.1.2.1".utf8) + [0])
          + [0xe0, 0x7f, 0x10, 0, 0x4f, 0x57, 0, 0, 0xfe, 0xff, 0xff, 0xff, 1, 2],
        "cannot be read as DICOM: it ends within element (7fe0,0010); copy it again from its source.")
    }
  }
}
