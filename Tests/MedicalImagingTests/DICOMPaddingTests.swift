import Basics
import Foundation
import MedicalImaging
import TestSupport
import Testing

/// The elements Pixel Padding Value (0028,0120) and Pixel Padding Range Limit (0028,0121).
@Suite struct DICOMPaddingTests {
  private func image(_ change: (Int, inout DICOMSliceFile) -> Void) throws -> Image {
    try withFolder { folder in
      try makeSeries(in: folder, change)
      return try Image(contentsOf: folder)
    }
  }

  private func padded(_ image: Image) -> [Int] { (image.noData ?? []).indices.filter { image.noData![$0] } }

  @Test func paddingIsNoDataAndGetsTheLeastValue() throws {
    // The three slices hold 0…5, 10…15 and 20…25. Each has its own padding value or none.
    let image = try image { place, slice in
      slice.texts[0x0028_1053] = ("DS", "-2")
      slice.words[0x0028_0120] = [UInt16(bitPattern: -2000), 12, nil][place]
      if place == 0 { slice.pixels![0] = -2000 }
      if place == 2 { slice.pixels![3] = -2000 }
    }
    #expect(padded(image) == [0, 8])
    #expect(image.voxels[0] == -50 && image.voxels[8] == -50)  // the value of 25, the minimum under a negative slope
    #expect(image.voxels[1] == -2 && image.voxels[15] == 4000 && image.voxels[17] == -50)
  }

  @Test(arguments: [(4, 1), (1, 4)]) func aRangeOfValues(value: UInt16, limit: UInt16) throws {
    let image = try image { place, slice in
      if place == 0 { (slice.words[0x0028_0120], slice.words[0x0028_0121]) = (value, limit) }
    }
    #expect(padded(image) == [1, 2, 3, 4] && Array(image.voxels[...5]) == [0, 0, 0, 0, 0, 5])
  }

  /// The same 16 bits are −2000 for signed pixels and 63536 for unsigned ones.
  @Test(arguments: [0, 1] as [UInt16], ["US", "SS"])
  func signednessIsThatOfThePixels(isSigned: UInt16, kind: String) throws {
    let image = try image { place, slice in
      slice.words[0x0028_0103] = isSigned
      slice.pixels![2] = -2000
      slice.raw[0x0028_0120] = slice.encoded(0x0028_0120, kind, Int16(-2000).littleEndianBytes)
    }
    #expect(padded(image) == [2, 8, 14] && image.voxels.min() == 0 && image.voxels.max() == 25)
  }

  @Test func valuesThatDoNotOccurAndSeriesWithout() throws {
    #expect(try image { $1.words[0x0028_0120] = 999 }.noData == nil)
    #expect(try image { _, _ in }.noData == nil)
    #expect(try image { if $0 == 0 { $1.words[0x0028_0121] = 3 } }.noData == nil)
  }

  @Test func aSeriesOfPaddingOnly() throws {
    try withFolder { folder in
      try makeSeries(in: folder) { ($1.words[0x0028_0120], $1.words[0x0028_0121]) = (0, 99) }
      let error = #expect(throws: Refusal.self) { try Image(contentsOf: folder) }
      #expect(
        error?.description
          == "\(folder.path): every pixel is padding (Pixel Padding Value (0028,0120)), so the series holds no data; correct "
          + "its headers, or choose another series.")
    }
  }

  @Test func noDataStaysWithItsVoxels() throws {
    let image = try image { if $0 == 1 { $1.words[0x0028_0120] = 12 } }
    func place(_ image: Image) -> [SIMD3<Double>] {
      let size = image.geometry.size
      return padded(image).map {
        image.geometry.positionMM(
          ofIndex: SIMD3(Double($0 % size.x), Double($0 / size.x % size.y), Double($0 / size.x / size.y)))
      }
    }
    let expected = place(image)
    #expect(expected == [[1.5, 0, 3.5]])
    #expect(place(image.reoriented(to: Orientation(code: "SRA")!)) == expected)
    #expect(place(image.withRowsReversed()) == expected && place(image.slices(1..<3)) == expected)
    var visited: [Int] = []
    image.forEachMeasured { index, _ in visited.append(index) }
    #expect(visited == (0..<18).filter { $0 != 8 })
  }
}

/// Rescale Slope and Intercept of enhanced objects, and similar elements with another meaning.
@Suite struct DICOMRescalingTests {
  private func sequence(_ tag: UInt32, _ items: [UInt8], _ slice: DICOMSliceFile) -> [UInt8] {
    slice.encoded(tag, "SQ", [0xfe, 0xff, 0x00, 0xe0] + UInt32(items.count).littleEndianBytes + items)
  }

  private func rescaling(_ slope: String, _ group: UInt32 = 0x5200_9229, in slice: inout DICOMSliceFile) {
    let values =
      slice.encoded(0x0028_1052, "DS", Array("-8".utf8)) + slice.encoded(0x0028_1053, "DS", Array(slope.utf8))
    slice.raw[group] = sequence(group, sequence(0x0028_9145, values, slice), slice)
  }

  @Test(arguments: [0x5200_9229, 0x5200_9230] as [UInt32]) func inFunctionalGroups(group: UInt32) throws {
    try withFolder { folder in
      try makeSeries(in: folder) { rescaling("2 ", group, in: &$1) }
      #expect(try Image(contentsOf: folder).voxels.prefix(8) == [-8, -6, -4, -2, 0, 2, 12, 14])
    }
  }

  @Test func twoThatDiffer() throws {
    try withFolder { folder in
      try makeSeries(in: folder) {
        $1.texts[0x0028_1053] = ("DS", "2.5")
        rescaling("2 ", in: &$1)
      }
      let error = #expect(throws: Refusal.self) { try Image(contentsOf: folder) }
      #expect(
        error?.description
          == "\(folder.path)/0.dcm: its Rescale Slope is 2.5 and, in its functional groups, 2; correct the header.")
      try makeSeries(in: folder) { rescaling("2,5 ", in: &$1) }
      let other = #expect(throws: Refusal.self) { try Image(contentsOf: folder) }
      #expect(
        other?.description
          == "\(folder.path)/0.dcm: its Rescale Slope is \"2,5\", which is no number; correct the header.")
    }
  }

  @Test func realWorldValuesAreNotApplied() throws {
    try withFolder { folder in
      try makeSeries(in: folder) { _, slice in
        let doubles = [3.0, 100.0].map { $0.bitPattern.littleEndianBytes }
        let values = slice.encoded(0x0040_9224, "FD", doubles[1]) + slice.encoded(0x0040_9225, "FD", doubles[0])
        slice.raw[0x0040_9096] = sequence(0x0040_9096, values, slice)
      }
      #expect(try Image(contentsOf: folder).voxels.prefix(7) == [0, 1, 2, 3, 4, 5, 10])
    }
  }
}
