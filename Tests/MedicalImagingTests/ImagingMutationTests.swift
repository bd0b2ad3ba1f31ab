import Basics
import Foundation
import MedicalImaging
import TestSupport
import Testing

/// Thousands of damaged files, each of which gives a plausible image or an `Refusal`. A trap ends the test
/// program.
@Suite struct ImagingMutationTests {
  /// Damages files in turn, and reads each as an image and as a mask.
  ///
  /// - Parameters:
  ///   - range: the bytes to damage, such as the header.
  ///   - growth: the largest number of pixels or voxels per byte of the file.
  private func mutate(
    _ sources: [(name: String, data: Data)], times: Int, seed: UInt64, in range: Range<Int>? = nil, growth: Int,
    tokens: [String] = [], around wrap: (Data) -> Data = { $0 }
  ) throws -> (read: Int, refused: Int) {
    let folder = try ScratchFolder()
    var mutator = Mutator(seed: seed, tokens: tokens)
    var counts = (read: 0, refused: 0)
    for index in 0..<times {
      let source = sources[index % sources.count]
      let contents = wrap(mutator.mutated(source.data, in: range))
      let url = try folder.file(contents, source.name)
      let place = "seed \(seed), number \(index), \(source.name)"
      let taken = hang {
        do {
          let images = try Image.channels(contentsOf: url)
          #expect(images[0].geometry.voxelCount <= contents.count * growth, "\(place)")
          #expect(images.allSatisfy { $0.voxels.count == $0.geometry.voxelCount }, "\(place)")
          counts.read += 1
        } catch let error as Refusal {
          #expect(error.description.hasPrefix(url.path) && error.description.hasSuffix("."), "\(place)")
          counts.refused += 1
        } catch {
          Issue.record("\(place): \(error)")
        }
        do { _ = try LabelMap(contentsOf: url) } catch is Refusal {} catch { Issue.record("\(place): \(error)") }
      }
      #expect(taken == nil, "\(place)")
    }
    return counts
  }

  private func fixtures(_ names: [String]) throws -> [(name: String, data: Data)] {
    try names.map { ($0, try Data(contentsOf: Fixtures.url($0))) }
  }

  private func pictures(_ names: [String]) throws -> [(name: String, data: Data)] {
    try names.map { ($0, try Data(contentsOf: picture($0))) }
  }

  @Test func damagedNIfTIHeaders() throws {
    let sources = try fixtures(["big-endian.nii", "nifti2-big-endian.nii"])
    let plain = try mutate(sources, times: 3000, seed: 21, in: 0..<544, growth: 1)
    #expect(plain.read > 500 && plain.refused > 300)
    let packed = sources.map { (name: $0.name + ".gz", data: $0.data) }
    let gzipped = try mutate(packed, times: 1500, seed: 22, in: 0..<544, growth: 1032, around: gzipStored)
    #expect(gzipped.read > 200 && gzipped.refused > 100)
  }

  @Test func damagedGzip() throws {
    let sources = try fixtures(["type-i2.nii.gz", "nifti2.nii.gz", "type-f8.nii.gz"])
    let counts = try mutate(sources, times: 1500, seed: 23, growth: 1032)
    #expect(counts.refused > 500)
  }

  /// Headers that ITK parses.
  @Test func damagedTextHeaders() throws {
    let sources = try fixtures(["type-i2.mha", "type-i2.nrrd", "type-f4.mha", "type-f4.nrrd"])
    let counts = try mutate(
      sources, times: 1500, seed: 24, in: 0..<360, growth: 1032,
      tokens: [
        "-1", "0", "1e308", "99999999999999999999", "nan", " ", "\n", "\u{0}", "=", ":", "LIST", "%d", "../",
        "/dev/zero",
      ])
    #expect(counts.read > 50 && counts.refused > 300)
  }

  /// Damage anywhere, which checksums mostly detect; and in the header, with its checksum corrected.
  @Test func damagedPNGs() throws {
    let sources = try pictures(["rgb8.png", "grey16.png", "palette.png", "palette-transparent.png", "grey1.png"])
    let counts = try mutate(sources, times: 2000, seed: 25, growth: 2048)
    #expect(counts.refused > 1000)
    let headers = try mutate(sources, times: 2000, seed: 26, in: 16..<29, growth: 1_000_000, around: withRightChecksum)
    #expect(headers.read > 20 && headers.refused > 1000)
  }

  @Test func damagedJPEGs() throws {
    let sources = try pictures(["rgb.jpg", "progressive.jpg", "grey.jpeg", "turned.jpg"])
    let counts = try mutate(sources, times: 1500, seed: 27, growth: 512)
    #expect(counts.read > 50 && counts.refused > 300)
    let headers = try mutate(sources, times: 1500, seed: 28, in: 0..<200, growth: 512)
    #expect(headers.refused > 500)
  }

  @Test func damagedTIFFs() throws {
    let sources = try pictures(["rgb8.tif", "rgb16.tiff", "palette.tif", "big.tif", "float.tif", "grey16.tif"])
    let counts = try mutate(sources, times: 3000, seed: 29, growth: 4096)
    #expect(counts.read > 100 && counts.refused > 500)
  }

  /// A PNG whose first chunk has a correct checksum.
  private func withRightChecksum(_ png: Data) -> Data {
    guard png.count > 33 else { return png }
    var crc = UInt32.max
    for byte in png[12..<29] {
      crc ^= UInt32(byte)
      for _ in 0..<8 { crc = crc & 1 == 1 ? crc >> 1 ^ 0xEDB8_8320 : crc >> 1 }
    }
    var result = png
    result.replaceSubrange(29..<33, with: withUnsafeBytes(of: (~crc).bigEndian) { Data($0) })
    return result
  }
}
