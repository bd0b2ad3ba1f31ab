import Basics
package import Foundation
import MedicalImaging

/// The data check's facts in a file.
///
/// An experiment's folder keeps one, so that its cells need not read all files again. A run's folder keeps one for
/// its report.
package struct FactsFile: Codable {
  fileprivate struct Entry: Codable {
    let identifier: String
    let patient: String
    let size: SIMD3<Int>
    let spacingMM: SIMD3<Double>
    let originMM: SIMD3<Double>
    let direction: [Double]
    let least: [Float]
    let greatest: [Float]
    let labels: [String: Int]
    let imageHash: UInt64
    /// nil for volumes.
    let picture: Bool?
    /// nil in files of earlier versions.
    let percentiles: [IntensityPercentiles]?
    let foreground: ForegroundIntensities?
  }

  private let cases: [Entry]

  /// - Parameter keepsForeground: whether to keep what plans a normalization of CT, for trainings to come.
  package init(_ facts: [CaseFacts], keepsForeground: Bool = false) {
    cases = facts.map { fact in
      Entry(
        identifier: fact.scan.identifier, patient: fact.scan.patient, size: fact.geometry.size,
        spacingMM: fact.geometry.spacingMM, originMM: fact.geometry.originMM, direction: fact.geometry.direction,
        least: fact.intensities.map(\.lowerBound), greatest: fact.intensities.map(\.upperBound),
        labels: Dictionary(uniqueKeysWithValues: fact.labels.map { (String($0), $1) }), imageHash: fact.imageHash,
        picture: fact.isPicture ? true : nil, percentiles: fact.percentiles,
        foreground: keepsForeground ? fact.foreground : nil)
    }
  }

  /// Reads the recorded facts without needing the data; the cases have no files.
  ///
  /// - Throws: `Refusal` for a damaged file.
  package static func recorded(in url: URL) throws -> [CaseFacts] {
    guard let data = try? Data(contentsOf: url), let file = try? JSONDecoder().decode(FactsFile.self, from: data),
      file.cases.allSatisfy(\.isWhole)
    else {
      throw Refusal(
        .input, url.path, "is not what the data check wrote", remedy: "restore the file, or delete it")
    }
    return file.cases.map { entry in
      let parts = entry.identifier.split(separator: "/", maxSplits: 1).map(String.init)
      let scan = Case(
        name: parts.last ?? "", site: parts.first ?? "", patient: entry.patient, images: [], mask: nil)
      return entry.facts(of: scan)
    }
  }

  package func write(to url: URL) throws { try writeAtomically(prettyJSON(self), to: url) }

  /// Reads the file if it exists; nil if an experiment was stopped before its data were checked.
  package static func readIfThere(_ url: URL, for dataset: Dataset) throws -> [CaseFacts]? {
    FileManager.default.fileExists(atPath: url.path) ? try read(url, for: dataset) : nil
  }

  /// Reads the facts of `dataset`, whose cases must be those that were checked.
  ///
  /// - Throws: `Refusal` for a missing or damaged file, and for cases added, removed or given another patient since.
  package static func read(_ url: URL, for dataset: Dataset) throws -> [CaseFacts] {
    guard FileManager.default.fileExists(atPath: url.path) else {
      throw Refusal(
        .input, url.path,
        "is missing, because the experiment was stopped before it was written or the file was deleted",
        remedy: "go on with the experiment's command first")
    }
    guard let data = contents(ofRegularFile: url), let file = try? JSONDecoder().decode(FactsFile.self, from: data),
      file.cases.allSatisfy(\.isWhole)
    else {
      throw Refusal(
        .input, url.path, "is not what the data check wrote", remedy: "delete the file to have the data checked again")
    }
    let advice = "restore the data, or begin a new experiment in another \(Setting.output)"
    let entries = Dictionary(file.cases.map { ($0.identifier, $0) }) { first, _ in first }
    let known = Set(dataset.cases.map(\.identifier))
    if let gone = file.cases.first(where: { !known.contains($0.identifier) }) {
      throw Refusal(
        .input, dataset.folder.path, "\(gone.identifier) is no longer there, and the experiment counts on it",
        remedy: advice)
    }
    return try dataset.cases.map { scan in
      guard let entry = entries[scan.identifier] else {
        throw Refusal(
          .input, dataset.folder.path, "\(scan.identifier) was not there when the experiment began",
          remedy: advice)
      }
      guard entry.patient == scan.patient, entry.least.count == dataset.modalities.count else {
        throw Refusal(
          .input, dataset.folder.path,
          "\(scan.identifier) is of another patient or has other modalities than when the experiment began",
          remedy: advice)
      }
      return entry.facts(of: scan)
    }
  }
}

extension FactsFile.Entry {
  fileprivate var isWhole: Bool { direction.count == 9 && least.count == greatest.count }

  fileprivate func facts(of scan: Case) -> CaseFacts {
    CaseFacts(
      scan: scan, geometry: Geometry(size: size, spacingMM: spacingMM, originMM: originMM, direction: direction),
      intensities: zip(least, greatest).map { min($0, $1)...max($0, $1) },
      labels: Dictionary(uniqueKeysWithValues: labels.compactMap { key, count in LabelValue(key).map { ($0, count) } }),
      imageHash: imageHash, isPicture: picture ?? scan.isPicture, percentiles: percentiles ?? [], foreground: foreground
    )
  }
}
