package import Basics

/// Sizes of a network's window: `[height, width]` of slices, `[depth, height, width]` of volumes.
public struct Extent: Equatable, Hashable, Sendable {
  /// Slices of a volume; nil for networks of single slices.
  public var depth: Int?
  public var height, width: Int

  public init(depth: Int? = nil, height: Int, width: Int) {
    (self.depth, self.height, self.width) = (depth, height, width)
  }

  /// - Parameter sizes: two or three.
  init(_ sizes: [Int]) {
    self.init(depth: sizes.count == 3 ? sizes[0] : nil, height: sizes[sizes.count - 2], width: sizes[sizes.count - 1])
  }

  init(_ slice: ImageSize) { self.init(height: slice.height, width: slice.width) }

  /// The sizes in the order of a tensor's axes.
  package var sizes: [Int] { (depth.map { [$0] } ?? []) + [height, width] }

  /// The size of a slice.
  package var slice: ImageSize { ImageSize(height: height, width: width) }
}

extension Extent: CustomStringConvertible {
  /// `96×128` or `16×96×128`.
  public var description: String { sizes.map(String.init).joined(separator: "×") }
}

/// Coded as a list of its sizes.
extension Extent: Codable {
  public init(from decoder: any Decoder) throws {
    let sizes = try [Int](from: decoder)
    guard (2...3).contains(sizes.count), sizes.allSatisfy({ $0 > 0 }) else {
      throw DecodingError.dataCorrupted(
        .init(codingPath: decoder.codingPath, debugDescription: "a size is [height, width] or [depth, height, width]"))
    }
    self.init(sizes)
  }

  public func encode(to encoder: any Encoder) throws { try sizes.encode(to: encoder) }
}

extension Extent: NumberTuple {
  package static let expected = "two numbers, height and width in pixels, for example 384,384, or three, depth first"

  package init(_ values: [Int], of setting: Setting) throws {
    guard (2...3).contains(values.count) else { throw Self.refusal(of: values, for: setting) }
    self.init(values)
  }
}
