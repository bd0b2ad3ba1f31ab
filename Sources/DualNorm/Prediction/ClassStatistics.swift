import Basics
package import Datasets
package import Foundation
package import MedicalImaging
package import Scores

/// Volume and mean intensities of a class of a predicted mask.
package struct ClassStatistics: Codable, Equatable, Sendable {
  let caseName, className: String
  /// Values of the class in the mask.
  let labels: [LabelValue]
  let voxels: Int
  /// In mL; nil for pictures, whose pixels have no size.
  let volumeML: Double?
  /// Mean of the intensities in the file for each modality, in their order; empty where the class has no voxel.
  let meanIntensities: [Double]

  private enum CodingKeys: String, CodingKey {
    case caseName = "case"
    case className = "class"
    case labels, voxels
    case volumeML = "volume_ml"
    case meanIntensities = "mean_intensities"
  }

  /// Measures every class of a mask.
  ///
  /// - Parameters:
  ///   - labels: the mask in file values, on the grid of the case's files, which are read again.
  ///   - modalities: the number of the model's modalities.
  /// - Throws: `Refusal` for an image that can no longer be read.
  package static func of(
    _ labels: LabelMap, _ scheme: LabelScheme, _ scan: Case, named name: String, modalities: Int
  ) throws -> [ClassStatistics] {
    let images = try scan.counted(volumes: modalities > 1).channels().images
    let classOf = scheme.classOfValue
    var counts = [Int](repeating: 0, count: scheme.classCount)
    var sums = [[Double]](repeating: counts.map { _ in 0 }, count: images.count)
    for (voxel, value) in labels.voxels.enumerated() {
      let index = Int(classOf[Int(value)] ?? 0)
      counts[index] += 1
      guard index > 0 else { continue }
      for channel in images.indices { sums[channel][index] += Double(images[channel].voxels[voxel]) }
    }
    let spacing = labels.geometry.spacingMM
    return scheme.groups.indices.map { index in
      let count = counts[index + 1]
      return ClassStatistics(
        caseName: name, className: scheme.names[index], labels: scheme.groups[index], voxels: count,
        volumeML: scan.isPicture ? nil : Double(count) * spacing.x * spacing.y * spacing.z / 1000,
        meanIntensities: count == 0 ? [] : sums.map { $0[index + 1] / Double(count) })
    }
  }

  /// Writes a row or object for each case and class, as CSV or JSON by the file's extension.
  ///
  /// - Throws: `Refusal` if the file cannot be written.
  package static func write(_ all: [ClassStatistics], modalities: [String], to file: URL) throws {
    guard file.pathExtension.lowercased() == "csv" else { return try writeAtomically(prettyJSON(all), to: file) }
    let header = ["case", "class", "labels", "voxels", "volume_ml"] + modalities.map { "mean_\($0)" }
    let rows = all.map { row in
      let means = row.meanIntensities.map(shortest)
      return [
        row.caseName, row.className, row.labels.map(String.init).joined(separator: "+"), "\(row.voxels)",
        row.volumeML.map(shortest) ?? "",
      ] + (means.isEmpty ? modalities.map { _ in "" } : means)
    }
    let lines = ([header] + rows).map { $0.map(quotedForCSV).joined(separator: ",") + "\n" }
    try writeAtomically(Data(lines.joined().utf8), to: file)
  }
}
