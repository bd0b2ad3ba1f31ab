/// The unit of lengths.
package enum LengthUnit: String, Codable, Sendable {
  case mm
  /// Pixels, for pictures, whose pixel size is unknown.
  case px

  /// Pixels if all cases are pictures; mm for volumes and mixtures.
  package init(arePictures: [Bool]) { self = !arePictures.isEmpty && arePictures.allSatisfy { $0 } ? .px : .mm }

  /// The unit of a voxel's volume or a pixel's area.
  var size: String { self == .mm ? "mm³" : "px²" }
}
