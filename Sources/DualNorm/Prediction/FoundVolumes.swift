import Basics
package import Datasets
package import MedicalImaging
package import Scores

/// The amount of each class in a mask.
package struct FoundVolumes: Equatable, Sendable {
  let caseName: String
  let isPicture: Bool
  /// Amount of each class, in mL, or in pixels for a picture.
  let amounts: [Double]
  let seconds: Double

  /// - Parameters:
  ///   - labels: the mask in file values.
  ///   - scheme: the classes of the mask.
  ///   - seconds: the time that the network took.
  package init(in labels: LabelMap, scheme: LabelScheme, of scan: Case, named caseName: String, seconds: Double = 0) {
    let counts = labels.histogram
    let spacing = labels.geometry.spacingMM
    let unit = scan.isPicture ? 1 : spacing.x * spacing.y * spacing.z / 1000
    (self.caseName, isPicture, self.seconds) = (caseName, scan.isPicture, seconds)
    amounts = scheme.groups.map { group in Double(group.reduce(0) { $0 + counts[Int($1)] }) * unit }
  }

  /// A table for the terminal, with one row per case and one column per class. Pictures follow in a table of their own.
  ///
  /// - Parameter seconds: whether to add a last column with the time.
  package static func table(
    of found: [FoundVolumes], classNames: [String], seconds: Bool = false
  ) -> String {
    [false, true].map { isPicture in
      table(of: found.filter { $0.isPicture == isPicture }, unit: isPicture ? "pixels" : "mL", classNames, seconds)
    }.joined()
  }

  private static func table(of found: [FoundVolumes], unit: String, _ classNames: [String], _ seconds: Bool) -> String {
    guard !found.isEmpty else { return "" }
    let header = ["case"] + classNames.map { "\($0), \(unit)" } + (seconds ? ["seconds"] : [])
    let rows = found.map { row in
      [row.caseName] + row.amounts.map { text($0, isPicture: row.isPicture) }
        + (seconds ? [fixed(row.seconds, decimals: 1)] : [])
    }
    return fixedWidth([header] + rows, leftAligned: 1)
  }

  /// A warning about cases in which nothing was found; nil if there are none.
  package static func warning(of found: [FoundVolumes]) -> String? {
    let empty = found.filter { $0.amounts.allSatisfy { $0 == 0 } }.map(\.caseName)
    guard !empty.isEmpty else { return nil }
    return "Nothing was found in \(empty.count) of \(found.count): \(listed(empty, atMost: 5)); look at these images."
  }

  /// An amount as text. A class that was found never reads 0.
  private static func text(_ amount: Double, isPicture: Bool) -> String {
    if isPicture || amount == 0 { return fixed(amount, decimals: 0) }
    return amount < 0.005 ? "<0.01" : fixed(amount, decimals: 2)
  }
}
