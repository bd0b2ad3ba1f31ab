import Datasets

/// Pixels of a slice: `height` along the image's y axis, `width` along its x axis.
package struct ImageSize: Equatable, Hashable, Sendable {
  package var height: Int
  package var width: Int

  package init(height: Int, width: Int) {
    self.height = height
    self.width = width
  }

  /// The smallest multiples of 16 that hold it: the network halves a slice four times.
  var paddedForNetwork: ImageSize {
    ImageSize(height: (height + 15) / 16 * 16, width: (width + 15) / 16 * 16)
  }
}

extension ImageSize {
  var suggestion: ImageSize {
    let near = ImageSize(
      height: min(max(height, 16), SliceSides.largest), width: min(max(width, 16), SliceSides.largest)
    )
    return near.paddedForNetwork
  }
}

/// As `[height, width]`.
extension ImageSize: Codable {
  package init(from decoder: any Decoder) throws {
    let values = try [Int](from: decoder)
    guard values.count == 2, values.allSatisfy({ $0 > 0 }) else {
      throw DecodingError.dataCorrupted(
        .init(codingPath: decoder.codingPath, debugDescription: "a size is [height, width]"))
    }
    self.init(height: values[0], width: values[1])
  }

  package func encode(to encoder: any Encoder) throws { try [height, width].encode(to: encoder) }
}
