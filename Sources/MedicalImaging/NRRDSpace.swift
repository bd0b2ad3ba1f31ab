import Files
import Foundation

/// The frame in which a NRRD header gives places, from its text: ITK 5.2 turns left-anterior-superior by half a turn, and no
/// ITK turns the spaces with time.
struct NRRDSpace {
  /// By which x, y and z are multiplied in ITK's frame (LPS+).
  private let signs: SIMD3<Double>

  private static let anatomical: [(names: [String], signs: SIMD3<Double>)] = [
    (["right-anterior-superior", "ras"], [-1, -1, 1]), (["left-anterior-superior", "las"], [1, -1, 1]),
    (["left-posterior-superior", "lps"], [1, 1, 1]),
  ]

  /// Nil for a header without a space, or with one that ITK refuses.
  init?(_ header: TextHeader, _ url: URL) {
    guard let name = header.fields["space"]?.lowercased() else { return nil }
    let known = Self.anatomical.first { $0.names.contains { [$0, $0 + "-time", $0 + "t"].contains(name) } }
    signs = known?.signs ?? [1, 1, 1]
    guard known == nil else { return }
    Warnings.report(
      url,
      "its space \(header.fields["space"]!) does not say where the patient's left is; it was taken for "
        + "left-posterior-superior: check where it lies.", kind: "in a space that is not the patient's")
  }

  /// Puts a grid where the header's origin and directions say, which need not both be there.
  func place(_ grid: inout Geometry, _ header: TextHeader) {
    if let origin = header.fields["spaceorigin"].map(Self.vectors)?.first { grid.originMM = 0 + signs * origin }
    guard let axes = header.fields["spacedirections"].map(Self.vectors), axes.count >= 3 else { return }
    for (column, axis) in axes.prefix(3).enumerated() {
      let length = (axis * axis).sum().squareRoot()
      grid.spacingMM[column] = length
      for row in 0..<3 { grid.direction[3 * row + column] = 0 + signs[row] * axis[row] / length }
    }
  }

  /// `(1,0,0) (0,1,0) none` without what is no vector; of four numbers, the last is of time.
  private static func vectors(_ text: String) -> [SIMD3<Double>] {
    text.matches(of: /\(([^()]*)\)/).compactMap { match in
      let numbers = match.output.1.split(separator: ",").compactMap {
        Double($0.trimmingCharacters(in: .whitespaces))
      }
      return [3, 4].contains(numbers.count) ? SIMD3(numbers[0], numbers[1], numbers[2]) : nil
    }
  }
}
