import Basics
import Foundation

/// Slices ordered by their heights above a plane parallel to all of them.
struct DICOMStack {
  let slices: [DICOMSlice]
  /// Heights along the normal, in mm, ascending.
  let heights: [Double]
  let folder: URL

  /// The largest deviation of a position: in slice distances along the normal, in pixels across it.
  static let tolerance = 0.05

  /// Mean distance of neighbouring slices in mm; nil for a single one.
  var distance: Double? {
    guard let first = heights.first, let last = heights.last, heights.count > 1 else { return nil }
    return (last - first) / Double(heights.count - 1)
  }

  /// The refusal of slices that are no volume; nil for a volume.
  var fault: Refusal? {
    guard let distance else { return nil }
    return unevenGap ?? drift(from: distance) ?? shift
  }

  private func refuse(_ found: String, detail: String = "", remedy: String) -> Refusal {
    Refusal(.image, folder.path, found, detail: detail, remedy: remedy)
  }

  /// The refusal of two slices in one place, or farther apart than the others.
  private var unevenGap: Refusal? {
    let gaps = zip(heights.dropFirst(), heights).map { $0 - $1 }
    let usual = gaps.sorted()[gaps.count / 2]
    let tolerance = DICOMStack.tolerance * usual
    if let place = gaps.firstIndex(where: { $0 < max(tolerance, 1e-3) }) {
      return refuse(
        "\(pair(place)) lie in the same place (\(short(gaps[place])) mm apart)", detail: "expected one slice a place",
        remedy: "keep one time point, echo or copy in the folder")
    }
    guard let place = gaps.firstIndex(where: { abs($0 - usual) > tolerance }) else { return nil }
    let apart = "\(pair(place)), which lie \(short(gaps[place])) mm apart and others \(short(usual)) mm"
    let missing = (gaps[place] / usual - 1).rounded()
    if missing >= 1, missing < 1e6, abs(gaps[place] / usual - 1 - missing) < 0.1 {
      let what = missing == 1 ? "a slice is" : "\(Int(missing)) slices are"
      return refuse("\(what) missing between \(apart)", remedy: "copy the series again from its source")
    }
    return refuse(
      "its slices are not evenly spaced by more than \(percent) %, at \(apart)",
      remedy: "resample it to a regular grid, as NIfTI")
  }

  /// The refusal of small differences that add up.
  private func drift(from distance: Double) -> Refusal? {
    for (place, height) in heights.enumerated() {
      let off = abs(height - heights[0] - Double(place) * distance)
      guard off > 2 * DICOMStack.tolerance * distance else { continue }
      return refuse(
        "its slices are not evenly spaced: \(name(place)) lies \(short(off)) mm from its place at "
          + "\(short(distance)) mm a slice, more than \(2 * percent) %",
        remedy: "resample it to a regular grid, as NIfTI")
    }
    return nil
  }

  /// The refusal of slices that are not stacked along their normal, as with a tilted gantry.
  private var shift: Refusal? {
    let first = slices[0]
    func aside(_ slice: DICOMSlice) -> SIMD2<Double> {
      let step = slice.positionMM - first.positionMM
      return SIMD2((step * first.row).sum(), (step * first.column).sum())
    }
    let tolerance = DICOMStack.tolerance * first.spacingMM.min()
    guard let place = slices.firstIndex(where: { max(abs(aside($0).x), abs(aside($0).y)) > tolerance }) else {
      return nil
    }
    let (now, whole) = (length(aside(slices[place])), length(aside(slices[slices.count - 1])))
    let tilt = atan2(whole, heights[heights.count - 1] - heights[0]) * 180 / .pi
    return refuse(
      "its slices are not stacked along their normal: \(name(place)) lies \(short(now)) mm to the side of \(name(0)) "
        + "(gantry tilt of \(short(tilt))°?)", remedy: "resample it to a rectangular grid, as NIfTI")
  }

  private var percent: Int { Int((DICOMStack.tolerance * 100).rounded()) }

  private func name(_ place: Int) -> String { slices[place].url.lastPathComponent }

  private func pair(_ place: Int) -> String { "\(name(place)) and \(name(place + 1))" }

  private func length(_ vector: SIMD2<Double>) -> Double { (vector * vector).sum().squareRoot() }
}
