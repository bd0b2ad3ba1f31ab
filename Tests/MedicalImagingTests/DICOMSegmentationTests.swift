import Foundation
import MedicalImaging
import TestSupport
import Testing

/// Written segmentations, parsed without the library.
@Suite struct DICOMSegmentationTests {
  private let oblique = DICOMReference.folder.appendingPathComponent("oblique")

  /// A mask with label 4 in slices 1 and 3, and label 2 nowhere.
  private func mask(of series: DICOMSeries) -> LabelMap {
    var mask = LabelMap(repeating: 0, geometry: series.geometry)
    for (x, y, z) in [(0, 0, 1), (5, 2, 1), (31, 31, 1), (7, 30, 3)] { mask[x, y, z] = 4 }
    return mask
  }

  private func written(
    _ segments: [DICOMSegment] = [DICOMSegment(value: 4, name: "left kidney"), DICOMSegment(value: 2, name: "label 2")]
  ) throws -> (DICOMElements, DICOMSeries) {
    try withFolder { folder in
      let series = try DICOMSeries(contentsOf: oblique)
      let file = folder.appendingPathComponent("mask.dcm")
      try mask(of: series).writeSegmentation(to: file, of: series, segments: segments, softwareVersion: "1.2")
      #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path) == ["mask.dcm"])
      return (try DICOMElements(contentsOf: file), series)
    }
  }

  @Test func isOfTheSourcesPatientAndStudy() throws {
    let (file, series) = try written()
    let source = try DICOMElements(contentsOf: series.files[0])
    #expect(file.text(0x0002_0010) == "1.2.840.10008.1.2.1" && file.text(0x0002_0002) == "1.2.840.10008.5.1.4.1.1.66.4")
    // Character set, study, patient and frame of reference.
    for tag: UInt32 in [
      0x0008_0005, 0x0008_0020, 0x0010_0010, 0x0010_0020, 0x0010_0040, 0x0020_000d, 0x0020_0052,
    ] {
      #expect(file.values[tag] == source.values[tag] && file.values[tag] != nil)
    }
    #expect(file.text(0x0008_0060) == "SEG" && file.text(0x0020_0011) == "1005")
    #expect(file.text(0x0062_0001) == "BINARY" && file.text(0x0018_1020) == "1.2")
    let uids = [0x0008_0018, 0x0020_000e].map { file.text($0) ?? "" }
    #expect(Set(uids).count == 2 && uids.allSatisfy { $0.hasPrefix("2.25.") && $0.count <= 64 })
    #expect(uids[0] != (try written().0.text(0x0008_0018)))
    let references = file[0x0008_1115]
    #expect(references.text(0x0020_000e) == series.uid)
    let instances = references.sequences[0x0008_114a]?.map { $0.text(0x0008_1155) }
    #expect(instances == (try series.files.map { try DICOMElements(contentsOf: $0).text(0x0008_0018) }))
  }

  @Test func segmentsHaveNamesAndCodes() throws {
    let (file, _) = try written()
    let segments = file.sequences[0x0062_0002] ?? []
    #expect(segments.map { $0.integers(0x0062_0004, as: UInt16.self) } == [[1], [2]])
    #expect(segments.map { $0.text(0x0062_0005) } == ["left kidney", "label 2"])
    #expect(segments.map { $0.text(0x0062_0008) } == ["AUTOMATIC", "AUTOMATIC"])
    #expect(segments.map { $0[0x0062_0003].text(0x0008_0100) } == ["91723000", "85756007"])
    #expect(segments.map { $0[0x0062_000f].text(0x0008_0100) } == ["64033007", "85756007"])
    #expect(segments[0][0x0062_000f][0x0062_0011].text(0x0008_0104) == "Left")
    #expect(file.text(0x0062_0013) == "NO")
  }

  /// Red in CIELab is 53.2, 80.1, 67.2 (from 0 to 100, and from −128 to 127), each scaled to 65535.
  @Test func segmentsHaveColours() throws {
    let (file, _) = try written([
      DICOMSegment(value: 4, name: "a", color: [255, 0, 0]), DICOMSegment(value: 2, name: "b", color: [0, 0, 0]),
    ])
    let colours = (file.sequences[0x0062_0002] ?? []).map { segment in
      segment.integers(0x0062_000d, as: UInt16.self).map(Double.init)
    }
    let expected = [[53.24 / 100, (80.09 + 128) / 255, (67.2 + 128) / 255], [0, 128.0 / 255, 128.0 / 255]]
    for (found, expected) in zip(colours, expected) {
      #expect(zip(found, expected).allSatisfy { abs($0 / 65535 - $1) < 1e-3 }, "\(found)")
    }
    #expect(colours.map(\.count) == [3, 3])
  }

  @Test func namesOfAnyLanguageAndLength() throws {
    let names = ["Übergang", "a\\b\u{7}c", "", String(repeating: "long ", count: 20)]
    let (file, _) = try written(names.enumerated().map { DICOMSegment(value: LabelValue($0 + 1), name: $1) })
    #expect(file.text(0x0008_0005) == "ISO_IR 192" && file.text(0x0010_0010) == "Grün^Anna")
    #expect(
      file.sequences[0x0062_0002]?.map { $0.text(0x0062_0005) } == [
        "Übergang", "a/b c", "label 3", String(repeating: "long ", count: 20).prefix(64).description,
      ])
  }

  @Test func framesLieWhereTheSlicesDo() throws {
    let (file, series) = try written()
    let shared = file[0x5200_9229]
    let source = try DICOMElements(contentsOf: series.files[0])
    #expect(shared[0x0020_9116].numbers(0x0020_0037) == source.numbers(0x0020_0037))
    #expect(shared[0x0028_9110].numbers(0x0028_0030) == [1.25, 1])
    #expect(abs(shared[0x0028_9110].numbers(0x0018_0088)[0] - 2.5) < 1e-6)
    let frames = file.sequences[0x5200_9230] ?? []
    // The first segment has two frames; the second has an empty one.
    #expect(frames.map { $0[0x0062_000a].integers(0x0062_000b, as: UInt16.self) } == [[1], [1], [2]])
    #expect(frames.map { $0[0x0020_9111].integers(0x0020_9157, as: UInt32.self) } == [[1, 2], [1, 4], [2, 1]])
    for (frame, z) in zip(frames, [1, 3, 0]) {
      let slice = try DICOMElements(contentsOf: series.files[z])
      #expect(frame[0x0020_9113].numbers(0x0020_0032) == slice.numbers(0x0020_0032))
      let derivation = frame[0x0008_9124][0x0008_2112]
      #expect(derivation.text(0x0008_1155) == slice.text(0x0008_0018))
      #expect(derivation[0x0040_a170].text(0x0008_0100) == "121322" && derivation.text(0x0028_135a) == "YES")
    }
  }

  @Test func pixelsAreTheMask() throws {
    let (file, series) = try written()
    #expect(file.integers(0x0028_0010, as: UInt16.self) == [32] && file.integers(0x0028_0100, as: UInt16.self) == [1])
    let bytes = file.values[0x7fe0_0010] ?? []
    let voxels = mask(of: series).voxels
    let labelled = voxels[1024..<2048] + voxels[3072..<4096]
    #expect(bits(of: bytes) == labelled.map { UInt8($0 / 4) } + [UInt8](repeating: 0, count: 1024))
  }

  /// Frames whose bits do not fill bytes are packed without gaps.
  @Test func framesOfOddSizesArePacked() throws {
    try withFolder { folder in
      for place in 0..<3 {
        let pixels = (0..<15).map { Int16($0) }
        try DICOMSliceFile(pixels, columns: 5, rows: 3, position: [0, 0, Double(place)], instance: place)
          .write(to: folder.appendingPathComponent("\(place).dcm"))
      }
      let series = try DICOMSeries(contentsOf: folder)
      let mask = LabelMap(voxels: (0..<45).map { LabelValue($0 % 4 == 1 ? 9 : 0) }, geometry: series.geometry)
      let file = folder.appendingPathComponent("out/mask.dcm")
      try mask.writeSegmentation(
        to: file, of: series, segments: [DICOMSegment(value: 9, name: "x")], softwareVersion: "1")
      let bytes = try DICOMElements(contentsOf: file).values[0x7fe0_0010] ?? []
      #expect(bits(of: bytes).prefix(45) == mask.voxels.map { UInt8($0 / 9) }[...])
    }
  }
}

/// Unpacks bits, the lowest of each byte first.
private func bits(of bytes: [UInt8]) -> [UInt8] {
  var bits: [UInt8] = []
  for byte in bytes {
    for place in 0..<8 { bits.append(byte >> UInt8(place) & 1) }
  }
  return bits
}
