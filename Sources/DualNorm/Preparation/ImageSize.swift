import Basics
import Datasets

/// Pixels of a slice: `height` along the image's y axis, `width` along its x axis.
public struct ImageSize: Equatable, Hashable, Sendable {
  public var height: Int
  public var width: Int

  public init(height: Int, width: Int) {
    self.height = height
    self.width = width
  }

  /// The smallest size that holds this one and has multiples of `multiple` as sides.
  func padded(toMultipleOf multiple: Int) -> ImageSize {
    func padded(_ side: Int) -> Int { (side + multiple - 1) / multiple * multiple }
    return ImageSize(height: padded(height), width: padded(width))
  }
}

/// Coded as `[height, width]`.
extension ImageSize: Codable {
  public init(from decoder: any Decoder) throws {
    let values = try [Int](from: decoder)
    guard values.count == 2, values.allSatisfy({ $0 > 0 }) else {
      throw DecodingError.dataCorrupted(
        .init(codingPath: decoder.codingPath, debugDescription: "a size is [height, width]"))
    }
    self.init(height: values[0], width: values[1])
  }

  public func encode(to encoder: any Encoder) throws { try [height, width].encode(to: encoder) }
}

extension ImageSize: NumberPair {
  package typealias Number = Int

  package init(_ height: Int, _ width: Int) { self.init(height: height, width: width) }

  package static let expected = "two numbers, height and width in pixels, for example 384,384"

  package var values: [Int] { [height, width] }
}
