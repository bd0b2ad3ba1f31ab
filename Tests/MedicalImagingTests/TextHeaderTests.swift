import Basics
import Foundation
import MedicalImaging
import TestSupport
import Testing

/// NRRD and MetaImage headers of all forms, compared with SimpleITK; and headers that no reader may trust.
@Suite struct TextHeaderTests {
  /// A file, or a header with its voxels, and SimpleITK's reading of it.
  struct Sample: Decodable, CustomTestStringConvertible {
    let name: String
    /// Contents by file name, in base 64.
    let files: [String: Data]
    let spacing, origin, direction: [Double]
    let voxels: [Float]

    var testDescription: String { name }
  }

  static let samples: [Sample] = try! JSONDecoder().decode(
    [Sample].self, from: Data(contentsOf: Fixtures.url("headers.json")))

  @Test func readsWhatSimpleITKReads() throws {
    for sample in Self.samples {
      try withFolder { folder in
        for (name, data) in sample.files { try data.write(to: folder.appendingPathComponent(name)) }
        let image = try Image(contentsOf: folder.appendingPathComponent(sample.name))
        #expect(image.voxels == sample.voxels, "\(sample.name)")
        let (grid, count) = (image.geometry, sample.spacing.count)
        for axis in 0..<count {
          #expect(abs(grid.spacingMM[axis] - sample.spacing[axis]) < 1e-9, "\(sample.name)")
          #expect(abs(grid.originMM[axis] - sample.origin[axis]) < 1e-9, "\(sample.name)")
          for row in 0..<count {
            let (own, other) = (grid.direction[3 * row + axis], sample.direction[count * row + axis])
            #expect(abs(own - other) < 1e-9, "\(sample.name)")
          }
        }
      }
    }
  }

  /// Reads a header of 4×4×2 bytes as MetaImage or NRRD, with some lines changed.
  private func refusal(_ name: String, _ changes: [(String, String)]) throws -> String {
    let isMeta = name.hasSuffix(".mha")
    var text =
      isMeta
      ? "ObjectType = Image\nNDims = 3\nDimSize = 4 4 2\nElementSpacing = 1 1 1\nElementType = MET_UCHAR\n"
        + "ElementDataFile = LOCAL\n"
      : "NRRD0004\ntype: uint8\ndimension: 3\nspace: LPS\nsizes: 4 4 2\nspace directions: (1,0,0) (0,1,0) (0,0,1)\n"
        + "space origin: (0,0,0)\nkinds: domain domain domain\nencoding: raw\n\n"
    for (old, new) in changes {
      #expect(text.contains(old))
      text = text.replacingOccurrences(of: old, with: new)
    }
    return try withFolder { folder in
      let url = folder.appendingPathComponent(name)
      try (Data(text.utf8) + Data(count: 32)).write(to: url)
      var error: Refusal?
      let taken = hang(atMost: 2) {
        error = #expect(throws: Refusal.self, "\(changes)") { try Image(contentsOf: url) }
      }
      #expect(taken == nil, "\(changes)")
      let sentence = error?.description ?? ""
      #expect(sentence.hasPrefix(url.path + ": "))
      return String(sentence.dropFirst(url.path.count + 2))
    }
  }

  @Test(arguments: [
    ("NDims = 3", "NDims = 11", "ndims is 11; expected a number of axes from 1 to 10"),
    ("NDims = 3", "NDims = 50", "ndims is 50; expected a number of axes from 1 to 10"),
    ("NDims = 3", "NDims = 1000000000", "ndims is 1000000000; expected a number of axes from 1 to 10"),
    ("NDims = 3", "NDims = 2147483648", "ndims is 2147483648; expected a number of axes from 1 to 10"),
    ("NDims = 3", "NDims = -3", "ndims is -3; expected a number of axes from 1 to 10"),
    ("DimSize = 4 4 2", "DimSize = 4 4", "dimsize is 4 4; expected 3 whole numbers"),
    ("DimSize = 4 4 2", "DimSize = 4 4 1e3", "dimsize is 4 4 1e3; expected 3 whole numbers"),
    ("ElementSpacing = 1 1 1", "ElementSpacing = 1 one 1", "elementspacing is 1 one 1; expected 3 numbers"),
    ("MET_UCHAR", "MET_STRING", "elementtype is MET_STRING; expected a number's type such as MET_SHORT"),
    ("NDims = 3", "NDims = 3\nHeaderSize = -2", "headersize is -2; expected a count of bytes or -1"),
  ]) func metaImage(old: String, new: String, fault: String) throws {
    #expect(try refusal("a.mha", [(old, new)]) == "its header's \(fault): correct the header.")
  }

  @Test(arguments: [
    ("dimension: 3", "dimension: 16", "sizes is 4 4 2; expected 16 whole numbers"),
    ("dimension: 3", "dimension: -1", "dimension is -1; expected a number of axes from 1 to 16"),
    ("dimension: 3", "dimension: 100", "dimension is 100; expected a number of axes from 1 to 16"),
    ("type: uint8", "type: block", "type is block; expected a number's type such as short"),
    ("type: uint8", "type: uint16", "endian is missing; expected little or big"),
    ("encoding: raw", "encoding: bzip2", "encoding is bzip2; expected raw, gzip, text or hex"),
    (
      "encoding: raw", "encoding: raw\nline skip: 2147483647",
      "lineskip is 2147483647; expected no more lines than the file has"
    ),
    ("encoding: raw", "encoding: raw\nline skip: -5", "lineskip is -5; expected a count of lines"),
    ("(1,0,0)", "(1,0,0", "spacedirections is (1,0,0 (0,1,0) (0,0,1); expected vectors such as (1,0,0)"),
    ("space: LPS", "space: nowhere", "space is nowhere; expected a space such as left-posterior-superior"),
    ("space: LPS", "space dimension: 100", "spacedimension is 100; expected a number from 1 to 8"),
    ("kinds: domain domain domain", "kinds: domain", "kinds is domain; expected 3 words"),
  ]) func nrrd(old: String, new: String, fault: String) throws {
    #expect(try refusal("a.nrrd", [(old, new)]) == "its header's \(fault): correct the header.")
  }

  /// Headers of hundreds of kilobytes are read or refused within a moment.
  @Test func longHeaders() throws {
    let words = String(repeating: "k", count: 120_000)
    let keys = (0..<20_000).map { "k\($0):=v" }.joined(separator: "\n")
    let comments = String(repeating: "# comment\n", count: 20_000)
    try withFolder { folder in
      for more in ["content: \(words)", keys, comments + "# end", "space units: \"\(words)\"", "\(words):=v"] {
        let url = folder.appendingPathComponent("a.nrrd")
        let header = "NRRD0004\ntype: uint8\ndimension: 3\nsizes: 4 4 2\nencoding: raw\n\(more)\n\n"
        try (Data(header.utf8) + Data(count: 32)).write(to: url)
        let taken = hang(atMost: 3) { #expect((try? Image(contentsOf: url))?.geometry.size == [4, 4, 2]) }
        #expect(taken == nil)
      }
    }
    #expect(try refusal("a.mha", [("NDims", "\(words) = 1\nNDims")]).hasPrefix("its header cannot be read"))
    let long = String(repeating: "k", count: 1 << 20)
    #expect(
      try refusal("a.nrrd", [("encoding", "content: \(long)\nencoding")])
        == "its header has no end in its first 1048576 bytes; it is damaged: copy it again from its source.")
  }

  /// A missing line break or empty line, foreign lines, and voxel files that do not exist.
  @Test func foreignLines() throws {
    let foreign = "its header cannot be read (its header is not that of its format); export it again as NIfTI."
    #expect(try refusal("a.nrrd", [("NRRD0004", "NRRD9999")]) == foreign)
    #expect(try refusal("a.nrrd", [("kinds", "ki\u{0}nds")]) == foreign)
    #expect(try refusal("a.nrrd", [("encoding: raw", "encoding: raw\nno field")]) == foreign)
    #expect(try refusal("a.mha", [("ElementDataFile = LOCAL\n", "")]) == foreign)
    let device = "its voxels' file /dev/zero is none; expected a file of bytes: correct the header."
    #expect(try refusal("a.nrrd", [("encoding: raw", "encoding: raw\ndata file: /dev/zero")]) == device)
    #expect(try refusal("a.mha", [("LOCAL", "/dev/zero")]) == device)
    #expect(
      try refusal("a.nrrd", [("sizes: 4 4 2", "sizes: 4 4 2\nspacings: 1 1")])
        == "its header's spacings is 1 1; expected a number an axis: correct the header.")
    #expect(
      try refusal("a.nrrd", [("encoding: raw", "encoding: raw\nbyte skip: 9223372036854775807")]).contains(
        "holds at most 0 bytes"))
    #expect(
      try refusal("a.mha", [("DimSize = 4 4 2", "DimSize = 4294967296 4294967296 4294967296")]).contains(
        "holds at most 32 bytes"))
  }

  /// Spacings and positions beyond any patient, at the limits of the files' numbers.
  @Test func absurdGeometry() throws {
    for (value, printed) in [("1e-300", "1e-300"), ("1e150", "1e+150"), ("1e300", "1e+300"), ("2e6", "2000000.0")] {
      #expect(
        try refusal("a.mha", [("ElementSpacing = 1 1 1", "ElementSpacing = 1 1 \(value)")])
          == "its voxel spacing is 1.0×1.0×\(printed) mm; expected 1e-06 to 1e+06 mm: correct the header.")
    }
    #expect(
      try refusal("a.mha", [("NDims = 3", "NDims = 3\nOffset = 0 0 1e10")])
        == "its origin is 0.0, 0.0, 10000000000.0 mm; expected at most 1e+09 mm from 0: correct the header.")
  }
}
