import Basics
import Foundation

/// Slices in spatial order on one regular grid.
struct DICOMGrid {
  /// Ascending along the normal of their planes, rows × columns: a right-handed frame.
  let slices: [DICOMSlice]
  let geometry: Geometry

  /// The largest difference of direction cosines between slices.
  static let cosineTolerance = 1e-4

  /// - Throws: `Refusal` naming the file or folder that prevents a volume.
  init(_ unsorted: [DICOMSlice], folder: URL) throws {
    if let fault = unsorted.firstFault { throw fault }
    let first = mostCommon(unsorted)
    if let fault = unsorted.firstUnlike(first) { throw fault }
    let normal = cross(first.row, first.column)
    func height(_ slice: DICOMSlice) -> Double { (slice.positionMM * normal).sum() }
    slices = unsorted.sorted { (height($0), $0.url.path) < (height($1), $1.url.path) }
    let stack = DICOMStack(slices: slices, heights: slices.map(height), folder: folder)
    if let fault = stack.fault { throw fault }
    guard let distance = stack.distance ?? first.thicknessMM else {
      throw Refusal(
        .image, first.url.path, "is the only slice of its series and does not say how thick it is (Slice Thickness)",
        remedy: "give a series of several slices")
    }
    let (x, y) = (first.row, first.column)
    geometry = Geometry(
      size: SIMD3(first.size.x, first.size.y, slices.count),
      spacingMM: SIMD3(first.spacingMM.x, first.spacingMM.y, distance), originMM: slices[0].positionMM,
      direction: (0..<3).flatMap { [x[$0], y[$0], normal[$0]] })
  }
}

extension [DICOMSlice] {
  fileprivate var firstFault: Refusal? { lazy.compactMap(\.fault).first }

  fileprivate func firstUnlike(_ usual: DICOMSlice) -> Refusal? {
    lazy.compactMap { unlikeness(of: $0, to: usual) }.first
  }
}

/// The first slice of the commonest kind among slices of different kinds.
private func mostCommon(_ slices: [DICOMSlice]) -> DICOMSlice {
  var kinds: [(slice: DICOMSlice, count: Int)] = []
  for slice in slices {
    if let place = kinds.firstIndex(where: { unlikeness(of: slice, to: $0.slice) == nil }) {
      kinds[place].count += 1
    } else {
      kinds.append((slice, 1))
    }
  }
  let most = kinds.map { $0.count }.max()
  return kinds.first { $0.count == most }!.slice
}

/// The refusal of a slice that does not match another one of its series; nil if it does.
private func unlikeness(of other: DICOMSlice, to first: DICOMSlice) -> Refusal? {
  func refuse(_ what: String, _ found: String, _ expected: String) -> Refusal {
    Refusal(
      .image, other.url.path,
      "its \(what) is \(found), and \(expected) in \(first.url.lastPathComponent) of the same series",
      detail: "the slices of a volume are alike", remedy: "take those that are not out of the folder")
  }
  guard other.size == first.size else {
    return refuse("size", "\(other.size.x)×\(other.size.y)", "\(first.size.x)×\(first.size.y)")
  }
  let turn = [other.row - first.row, other.column - first.column].flatMap { [$0.x, $0.y, $0.z] }
  guard turn.allSatisfy({ abs($0) <= DICOMGrid.cosineTolerance }) else {
    return refuse("orientation", orientation(other), orientation(first))
  }
  guard (0..<2).allSatisfy({ abs(other.spacingMM[$0] - first.spacingMM[$0]) <= 1e-3 * first.spacingMM[$0] }) else {
    return refuse("pixel spacing", "\(spacing(other)) mm", "\(spacing(first)) mm")
  }
  guard other.frameOfReference == first.frameOfReference else {
    return refuse("frame of reference", inOneLine(other.frameOfReference), inOneLine(first.frameOfReference))
  }
  return nil
}

/// The cross product.
func cross(_ a: SIMD3<Double>, _ b: SIMD3<Double>) -> SIMD3<Double> {
  SIMD3(a.y * b.z - a.z * b.y, a.z * b.x - a.x * b.z, a.x * b.y - a.y * b.x)
}

private func orientation(_ slice: DICOMSlice) -> String {
  [slice.row, slice.column].flatMap { [$0.x, $0.y, $0.z] }
    .map { String(format: "%.6g", $0) }.joined(separator: "\\")
}

private func spacing(_ slice: DICOMSlice) -> String { "\(short(slice.spacingMM.x))×\(short(slice.spacingMM.y))" }
