import Basics
import Foundation
package import MedicalImaging

/// A recipe that turns a published data set into cases to train and test on.
///
/// docs/preparation.md lists the keys of its YAML file. A recipe first corrects the source's rows and headers, turns
/// the rows and maps the labels. Then it crops to the labelled slices (training data only), keeps every n-th slice,
/// clips the intensities and resamples in plane.
package struct DataRecipe: Codable, Equatable, Sendable {
  /// A description on one line.
  package var description = ""
  /// The values to keep; all others become background. If empty, masks stay as they are.
  package var labels: [Label] = []
  /// The window that intensities are clipped to, for example −125 to 275 HU.
  package var window: [Double]?
  /// The number of slices kept on each side when training data are cropped to their labelled slices; nil never crops.
  package var cropMargin: Int?
  /// The step between kept slices: 3 keeps the first slice and every third after it.
  package var everyNthSlice = 1
  /// Height and width in pixels that slices are resampled to.
  package var resampleSize: [Int]?
  /// Tells whether to reverse the rows with origin and direction: every voxel keeps its place in the patient.
  package var flipY = false
  /// The files whose rows are reversed without their header: for sources with a wrong header.
  package var flipYVoxels: [Source] = []
  /// The file whose header counts for both if they differ; nil refuses a mask that does not lie on its image's voxels.
  package var headerFrom: Source?

  /// A class of the result.
  package struct Label: Codable, Equatable, Sendable {
    package var name: String
    /// The source's values of it, each above 0.
    package var from: [LabelValue]
    /// Its value in the result, above 0.
    package var to: LabelValue
  }

  package enum Source: String, Codable, Sendable { case images, labels }

  init() {}

  enum CodingKeys: String, CodingKey, CaseIterable {
    case description, labels, window
    case cropMargin = "crop-margin"
    case everyNthSlice = "every-nth-slice"
    case resampleSize = "resample-size"
    case flipY = "flip-y"
    case flipYVoxels = "flip-y-voxels"
    case headerFrom = "header-from"
  }
}

extension DataRecipe {
  /// - Throws: `Refusal` naming the file and its first invalid key.
  func validate(file: String) throws {
    func require(_ condition: Bool, _ found: @autoclosure () -> String, _ remedy: @autoclosure () -> String) throws {
      if !condition { throw Refusal(.input, file, found(), remedy: remedy()) }
    }
    func text(_ values: [some Any]) -> String { "[\(values.map { "\($0)" }.joined(separator: ", "))]" }
    if let window {
      try require(
        window.count == 2 && window.allSatisfy(\.isFinite) && window[0] < window[1],
        "window is \(text(window))", "give the lowest and the highest intensity, for example [-125, 275]")
    }
    if let cropMargin {
      try require(
        (0...1000).contains(cropMargin),
        "crop-margin is \(cropMargin)", "give the slices to keep on each side, 0 to 1000")
    }
    try require(
      (1...100).contains(everyNthSlice), "every-nth-slice is \(everyNthSlice)", "give 1 (all slices) to 100")
    if let resampleSize {
      let sides = SliceSides.smallest...SliceSides.largest
      try require(
        resampleSize.count == 2 && resampleSize.allSatisfy(sides.contains),
        "resample-size is \(text(resampleSize))",
        "give height and width in pixels, each \(sides.lowerBound) to \(sides.upperBound), for example [384, 384]")
    }
    try validateLabels(file: file)
  }

  private func validateLabels(file: String) throws {
    func refuse(_ found: String, _ remedy: String) -> Refusal {
      Refusal(.input, "\(file): labels", found, remedy: remedy)
    }
    var (names, sources, targets) = (Set<String>(), Set<LabelValue>(), Set<LabelValue>())
    for label in labels {
      guard !label.name.isEmpty, !label.name.contains(where: \.isNewline) else {
        throw refuse("the label to \(label.to) has no name of one line", "give it one")
      }
      guard !label.from.isEmpty, !label.from.contains(0), label.to != 0 else {
        throw refuse("\"\(quoted(label.name))\" maps from and to values above 0, 0 is background", "correct it")
      }
      guard names.insert(label.name).inserted, targets.insert(label.to).inserted else {
        throw refuse(
          "\"\(quoted(label.name))\" or its value \(label.to) is there twice",
          "list the source's values of one class in one from, for example [1, 2]")
      }
      for value in label.from where !sources.insert(value).inserted {
        throw refuse("the source's value \(value) is mapped twice", "keep one of the two")
      }
    }
  }

  /// The result's value for each source value; with labels, unnamed values become 0.
  var valueMap: [LabelValue] {
    guard !labels.isEmpty else { return Array(0...LabelValue.max) }
    var table = [LabelValue](repeating: 0, count: Int(LabelValue.max) + 1)
    for label in labels {
      for value in label.from { table[Int(value)] = label.to }
    }
    return table
  }

  /// The result's values and their names, background included; empty if the recipe names none.
  package var labelNames: [LabelValue: String] {
    guard !labels.isEmpty else { return [:] }
    return Dictionary(uniqueKeysWithValues: labels.map { ($0.to, $0.name) } + [(0, "background")])
  }
}
