import Basics
import Datasets
import Foundation
import MedicalImaging

/// A quantity in which volumes are far from the training volumes.
struct TrainingDeviation: Equatable {
  /// Name of the quantity: `spacing of slices`.
  let quantity: String
  /// Range over the volumes; nil if it is not a number.
  var found: ClosedRange<Double>?
  /// Range over the training volumes, or their kind, as text.
  let known: String
  var unit = ""

  /// The deviation as text: `spacing of slices 5 mm where training had 0.9 to 1.1`.
  var text: String {
    let values = found.map { " " + Self.text($0) + (unit.isEmpty ? "" : " " + unit) } ?? ""
    return "\(quantity)\(values) where training had \(known)"
  }

  static func text(_ range: ClosedRange<Double>) -> String {
    func number(_ value: Double) -> String { short((value * 100).rounded() / 100) }
    let (low, high) = (number(range.lowerBound), number(range.upperBound))
    return low == high ? low : "\(low) to \(high)"
  }
}

extension TrainingProfile {
  /// Factors beyond the training's range above which a volume is far. docs/preparation.md has the measurements.
  private static let (farPixels, farSlices, farSides) = (1.5, 2.0, 2.0)
  /// The same limit for the positions of percentiles, as a difference.
  private static let farPlace = 0.25
  /// Fewest training volumes whose range of positions is representative.
  private static let fewestForPlaces = 10

  /// Quantities in which a volume is far from the training volumes.
  func deviations(of volume: SeenVolume, _ plan: PreparationPlan, modalities: [String]) -> [TrainingDeviation] {
    if let arePictures, arePictures != volume.isPicture {
      // Volumes and pictures cannot be compared in spacing or slices.
      let kinds = ["volumes", "pictures"]
      return [TrainingDeviation(quantity: kinds[volume.isPicture ? 1 : 0], known: kinds[arePictures ? 1 : 0])]
    }
    let (size, spacing) = (volume.geometry.size, volume.geometry.spacingMM)
    func far(_ quantity: String, _ values: [Double], _ known: ClosedRange<Double>, _ factor: Double, _ unit: String)
      -> TrainingDeviation?
    {
      let far = values.filter { $0 * factor < known.lowerBound || $0 > known.upperBound * factor }
      guard let low = far.min(), let high = far.max() else { return nil }
      return TrainingDeviation(quantity: quantity, found: low...high, known: TrainingDeviation.text(known), unit: unit)
    }
    var found = [
      far("spacing of pixels", [spacing.x, spacing.y], pixelsMM, Self.farPixels, "mm"),
      far(
        "sides of slices", [Double(size.x), Double(size.y)], Double(sides.lowerBound)...Double(sides.upperBound),
        Self.farSides, "pixels"),
    ]
    // Only then does the network see several slices.
    if plan.isOfVolumes || plan.contextSlices > 1 {
      if size.z > 1, depth.upperBound > 1 {
        found.append(far("spacing of slices", [spacing.z], slicesMM, Self.farSlices, "mm"))
      }
      if size.z < plan.contextSlices, depth.lowerBound >= plan.contextSlices {
        let known = TrainingDeviation.text(Double(depth.lowerBound)...Double(depth.upperBound))
        found.append(
          TrainingDeviation(quantity: "number of slices", found: Double(size.z)...Double(size.z), known: known))
      }
    }
    return found.compactMap { $0 } + intensityDeviations(of: volume, plan.window, modalities)
  }

  /// At most one deviation per modality.
  private func intensityDeviations(
    of volume: SeenVolume, _ window: IntensityWindow?, _ modalities: [String]
  ) -> [TrainingDeviation] {
    guard volume.percentiles.count == places.count, cases >= Self.fewestForPlaces else { return [] }
    return zip(volume.percentiles, places).enumerated().compactMap { index, pair in
      let (values, known) = (pair.0.places(in: window), pair.1)
      let far = zip(values, known).enumerated().first { _, pair in
        pair.0 < pair.1.lowerBound - Self.farPlace || pair.0 > pair.1.upperBound + Self.farPlace
      }
      guard let (place, (value, range)) = far else { return nil }
      func percent(_ share: Double) -> Double { (share * 100).rounded() }
      let name = modalities.count > 1 && index < modalities.count ? " of \(modalities[index])" : ""
      let what = window == nil ? "median intensity" : ["1st", "50th", "99th"][place] + " percentile of intensities"
      return TrainingDeviation(
        quantity: what + name + " at", found: percent(value)...percent(value),
        known: TrainingDeviation.text(percent(range.lowerBound)...percent(range.upperBound)),
        unit: window == nil ? "% between dark and bright" : "% of the window")
    }
  }
}

/// Collects the volumes that are far from a model's training volumes. One warning covers all that deviate in the same
/// quantities.
package struct FarVolumes {
  private let description: ModelDescription
  private var groups: [(names: [String], deviations: [TrainingDeviation])] = []

  package init(_ description: ModelDescription) { self.description = description }

  /// Checks a volume to be segmented.
  package mutating func add(_ item: PreparedCase) {
    guard let training = description.training else { return }
    let found = training.deviations(
      of: SeenVolume(item), description.preparation, modalities: description.modalities)
    if !found.isEmpty { add(found, of: item.source.reference.path) }
  }

  mutating func add(_ found: [TrainingDeviation], of name: String) {
    let same = groups.firstIndex { $0.deviations.map(\.quantity) == found.map(\.quantity) }
    guard let same else {
      groups.append(([name], found))
      return
    }
    groups[same].names.append(name)
    for (index, deviation) in found.enumerated() {
      guard let new = deviation.found, let old = groups[same].deviations[index].found else { continue }
      groups[same].deviations[index].found =
        min(old.lowerBound, new.lowerBound)...max(old.upperBound, new.upperBound)
    }
  }

  /// Reports one warning for each set of deviating quantities.
  package func report() {
    for (names, deviations) in groups {
      let masks = names.count == 1 ? "the mask" : "the masks"
      Warnings.report(
        "\(listed(names)): far from what the model learnt from, \(deviations.map(\.text).joined(separator: "; ")); look "
          + "whether \(masks) can be right.")
    }
  }
}
