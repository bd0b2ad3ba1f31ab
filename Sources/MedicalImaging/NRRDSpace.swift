import Basics
import Foundation

/// The frame of the positions in a NRRD header.
///
/// Unlike here, ITK 5.2 turns left-anterior-superior by half a turn, and no ITK turns the spaces with time.
struct NRRDSpace {
  private let header: TextHeader
  /// The number of components of a vector; nil if the header names no space.
  let dimension: Int?
  /// Factors of x, y and z in the frame LPS+.
  private let signs: SIMD3<Double>
  private let isPatient: Bool

  private static let anatomical: [(names: [String], signs: SIMD3<Double>)] = [
    (["right-anterior-superior", "ras"], [-1, -1, 1]), (["left-anterior-superior", "las"], [1, -1, 1]),
    (["left-posterior-superior", "lps"], [1, 1, 1]),
  ]
  private static let others = ["scanner-xyz", "3d-right-handed", "3d-left-handed"]

  /// - Throws: `Refusal` for a space that the format does not have.
  init(_ header: TextHeader) throws {
    self.header = header
    guard let name = header.fields["space"]?.lowercased() else {
      (signs, isPatient) = ([1, 1, 1], false)
      guard header.fields["spacedimension"] != nil else {
        dimension = nil
        return
      }
      guard let dimension = header.integers("spacedimension", atMost: 1)?.first, (1...8).contains(dimension) else {
        throw header.fault("spacedimension", "a number from 1 to 8")
      }
      self.dimension = dimension
      return
    }
    let spaces = Self.anatomical + [(names: Self.others, signs: SIMD3(1, 1, 1))]
    func isNamed(_ names: [String], _ endings: [String]) -> Bool {
      names.contains { known in endings.contains { known + $0 == name } }
    }
    guard let known = spaces.first(where: { isNamed($0.names, ["", "-time", "t"]) }) else {
      throw header.fault("space", "a space such as left-posterior-superior")
    }
    signs = known.signs
    dimension = isNamed(known.names, [""]) ? 3 : 4
    isPatient = !isNamed(Self.others, ["", "-time", "t"])
  }

  /// Warns if a header does not define the patient's left, or uses another unit than mm.
  func reportDoubts() {
    if !isPatient, header.fields["spacedirections"] != nil {
      let name =
        header.fields["space"].map { "its space \(printable($0)) does" } ?? "its header names no space and does"
      Warnings.report(
        header.url,
        "\(name) not say where the patient's left is; it was taken for left-posterior-superior: check where it lies.",
        kind: "in a space that is not the patient's")
    }
    let units = header.fields["spaceunits"].map { $0.lowercased().split(separator: "\"").map(String.init) } ?? []
    let other = units.first {
      !$0.allSatisfy(\.isWhitespace) && !["mm", "millimeter", "millimetre", "???", "s"].contains($0)
    }
    if let other {
      Warnings.report(
        header.url,
        "its space units are \(printable(String(other.prefix(20)))), as its header says, and were taken for mm, as in ITK: check "
          + "its spacing.", kind: "whose space units are not mm")
    }
  }

  /// Converts a vector or position to the frame LPS+.
  func turned(_ vector: [Double]) -> SIMD3<Double> {
    0 + signs * SIMD3(vector[0], vector.count > 1 ? vector[1] : 0, vector.count > 2 ? vector[2] : 0)
  }
}
