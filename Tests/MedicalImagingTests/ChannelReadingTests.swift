import Basics
import Foundation
import MedicalImaging
import Testing

/// Several channels in one file, compared with nibabel and SimpleITK (Tools/fixtures_channels.py).
@Suite struct ChannelReadingTests {
  /// A file, its channels, and nibabel's header of a mask on its grid.
  struct Sample: Decodable, CustomTestStringConvertible {
    let name: String
    /// Contents by file name, in base 64.
    let files: [String: Data]
    let channels: [[Float]]
    let mask: Data?

    var testDescription: String { name }

    func write(to folder: URL) throws -> URL {
      for (name, data) in files { try data.write(to: folder.appendingPathComponent(name)) }
      return folder.appendingPathComponent(name)
    }
  }

  static let samples: [Sample] = try! JSONDecoder().decode(
    [Sample].self, from: Data(contentsOf: Fixtures.url("channels.json")))

  @Test(arguments: samples) func readsWhatOthersRead(sample: Sample) throws {
    try withFolder { folder in
      let url = try sample.write(to: folder)
      let channels = try Image.channels(contentsOf: url)
      #expect(channels.map(\.voxels) == sample.channels)
      #expect(channels.allSatisfy { $0.geometry == channels[0].geometry && $0.geometry.size == [5, 4, 3] })
      for (axis, spacing) in [0.7, 0.9, 3.1].enumerated() {
        #expect(abs(channels[0].geometry.spacingMM[axis] - spacing) < 1e-6)
      }
      #expect(try Image.channelCount(contentsOf: url) == sample.channels.count)
      #expect(try Image.channels(contentsOf: url, count: sample.channels.count) == channels)
      #expect(try Image.shownChannels(contentsOf: url) == [channels[0]])
    }
  }

  /// The step of time is no part of a mask's header, the rest of its place is.
  @Test func aMaskHasTheHeaderThatNibabelGivesIt() throws {
    for sample in Self.samples {
      guard let expected = sample.mask else { continue }
      try withFolder { folder in
        let grid = try Image.channels(contentsOf: sample.write(to: folder))[0].geometry
        let file = folder.appendingPathComponent("own.nii")
        try LabelMap(repeating: 1, geometry: grid).write(to: file)
        let written = try Data(contentsOf: file)
        for field in [40..<56, 76..<108, 123..<124, 252..<328] {
          #expect(written[field] == expected[field], "\(sample.name), \(field)")
        }
        #expect(Array(written[40..<42]) == [3, 0] && Array(written[48..<50]) == [1, 0])
        #expect(try LabelMap(contentsOf: file).geometry == grid)
      }
    }
  }

  @Test func channelsAreWrittenInOneFile() throws {
    try withFolder { folder in
      let url = try Self.samples[0].write(to: folder)
      let channels = try Image.channels(contentsOf: url)
      for (name, bytes) in [("whole.nii", 2), ("broken.nii", 4)] {
        let file = folder.appendingPathComponent(name)
        var values = channels
        if bytes == 4 { values[1].voxels[7] = 0.5 }
        try writeChannelsCompactly(values, to: file)
        #expect(try Image.channels(contentsOf: file) == values)
        #expect(try Data(contentsOf: file).count == 352 + bytes * 120)
      }
      try writeChannelsCompactly([channels[1]], to: folder.appendingPathComponent("one.nii"))
      #expect(try Image(contentsOf: folder.appendingPathComponent("one.nii")) == channels[1])
    }
  }

  @Test func oneVolumeIsExpectedOfImagesAndMasks() throws {
    try withFolder { folder in
      func refusal(_ name: String) throws -> [String] {
        let url = try Self.samples.first { $0.name == name }!.write(to: folder)
        let errors = [
          #expect(throws: Refusal.self) { try Image(contentsOf: url) },
          #expect(throws: Refusal.self) { try LabelMap(contentsOf: url) },
          #expect(throws: Refusal.self) { try Image.channels(contentsOf: url, count: 1) },
        ]
        return Set(errors.map { $0!.description.replacingOccurrences(of: "\(folder.path)/", with: "") }).sorted()
      }
      let fourD = "a 4-D file (5×4×3×2); expected a 3-D volume: split it into one file a channel."
      for (name, sentence) in [
        ("decathlon.nii.gz", fourD), ("four.mha", fourD),
        ("vector.mha", "it has 2 numbers a voxel; expected one: split it into one file each."),
      ] {
        let found = try refusal(name)
        #expect(found == ["\(name): \(sentence)"])
      }
    }
  }

  @Test func otherShapesAreRefused() throws {
    try withFolder { folder in
      let url = try Self.samples[0].write(to: folder)
      #expect(
        throws: Refusal(
          .image, url.path, "holds 2 channels (5×4×3×2), expected 3", remedy: "give the file that was there before")
      ) { try Image.channels(contentsOf: url, count: 3) }
      var five = try #require(Self.samples.first { $0.name == "plain.nii" }?.files["plain.nii"])
      five[40] = 5
      five[48] = 2
      five[50] = 2
      let file = folder.appendingPathComponent("five.nii")
      try five.write(to: file)
      #expect(
        throws: Refusal(
          .image, file.path, "a 5-D file (5×4×3×2×2)", detail: "expected a 3-D volume, or one more axis of channels",
          remedy: "split it into one file a channel")
      ) { try Image.channels(contentsOf: file) }
      let short = folder.appendingPathComponent("short.nii")
      try #require(Self.samples.first { $0.name == "plain.nii" }?.files["plain.nii"]).dropLast(1).write(to: short)
      let message =
        "its header promises 5×4×3×4 voxels of 2 bytes, but the file holds at most 479 bytes of voxels"
      #expect(
        throws: Refusal(
          .image, short.path, message, detail: "it is cut short or damaged", remedy: "copy it again from its source")
      ) { try Image.channels(contentsOf: short) }
    }
  }
}
