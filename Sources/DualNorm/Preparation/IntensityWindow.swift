package import Basics

/// Intensities from `low` to `high`, such as −125 to 275 HU; `[low, high]` in files.
package struct IntensityWindow: NumberPair {
  package typealias Number = Double

  var low: Double
  var high: Double

  package init(_ low: Double, _ high: Double) { (self.low, self.high) = (low, high) }

  package static let expected = "two numbers, the lowest and highest intensity, for example -125,275"

  package var values: [Double] { [low, high] }
}

/// The distance of voxels along x and y, and for 3-D networks along z, in mm; a list in files.
package struct VoxelSpacing: NumberTuple, Equatable {
  package typealias Number = Double

  package var x: Double
  package var y: Double
  package var z: Double?

  package init(_ x: Double, _ y: Double, _ z: Double? = nil) { (self.x, self.y, self.z) = (x, y, z) }

  package init(_ values: [Double], of setting: Setting) throws {
    guard (2...3).contains(values.count) else { throw Self.refusal(of: values, for: setting) }
    self.init(values[0], values[1], values.count == 3 ? values[2] : nil)
  }

  package static let expected = "two numbers, x and y in mm, for example 0.6,0.6, or three for a 3-D network"

  var values: [Double] { [x, y] + (z.map { [$0] } ?? []) }
}

extension VoxelSpacing: Codable {
  package init(from decoder: any Decoder) throws {
    let values = try [Double](from: decoder)
    guard (2...3).contains(values.count) else {
      throw DecodingError.dataCorrupted(
        .init(
          codingPath: decoder.codingPath, debugDescription: "\(counted(values.count, "value")), expected 2 or 3"))
    }
    self.init(values[0], values[1], values.count == 3 ? values[2] : nil)
  }

  package func encode(to encoder: any Encoder) throws { try values.encode(to: encoder) }
}
