/// What lengths are measured in.
package enum LengthUnit: String, Codable, Sendable {
  case mm
  /// Pixels: nobody knows how large those of a picture are.
  case px

  /// Pixels where all cases are pictures; a mixture has mm.
  package init(arePictures: [Bool]) { self = !arePictures.isEmpty && arePictures.allSatisfy { $0 } ? .px : .mm }

  /// Of a voxel's volume or a pixel's area.
  var size: String { self == .mm ? "mm³" : "px²" }
}
