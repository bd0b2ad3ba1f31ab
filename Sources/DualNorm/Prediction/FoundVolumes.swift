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
  /// See `Uncertainty.ofCase`; nil if it was not asked for, or nothing was found.
  package let uncertainty: Double?

  /// - Parameters:
  ///   - labels: the mask in file values.
  ///   - scheme: the classes of the mask.
  ///   - seconds: the time that the network took.
  package init(
    in labels: LabelMap, scheme: LabelScheme, of scan: Case, named caseName: String, seconds: Double = 0,
    uncertainty: Double? = nil
  ) {
    self.uncertainty = uncertainty
    let counts = labels.histogram
    let spacing = labels.geometry.spacingMM
    let unit = scan.isPicture ? 1 : spacing.x * spacing.y * spacing.z / 1000
    (self.caseName, isPicture, self.seconds) = (caseName, scan.isPicture, seconds)
    amounts = scheme.groups.map { group in Double(group.reduce(0) { $0 + counts[Int($1)] }) * unit }
  }

  /// A table for the terminal, with one row per case and one column per class. Pictures follow in a table of their own.
  ///
  /// - Parameters:
  ///   - uncertainty: whether to add a column with the uncertainty, `-` where nothing was found.
  ///   - seconds: whether to add a last column with the time.
  package static func table(
    of found: [FoundVolumes], classNames: [String], uncertainty: Bool = false, seconds: Bool = false
  ) -> String {
    [false, true].map { isPicture in
      let unit = isPicture ? "pixels" : "mL"
      let columns: [(name: String, value: (FoundVolumes) -> String)] =
        classNames.enumerated().map { index, name in
          ("\(name), \(unit)", { text($0.amounts[index], isPicture: isPicture) })
        } + (uncertainty ? [("uncertainty", { $0.uncertainty.map { fixed($0, decimals: 3) } ?? "-" })] : [])
        + (seconds ? [("seconds", { fixed($0.seconds, decimals: 1) })] : [])
      return table(of: found.filter { $0.isPicture == isPicture }, columns)
    }.joined()
  }

  private static func table(
    of found: [FoundVolumes], _ columns: [(name: String, value: (FoundVolumes) -> String)]
  ) -> String {
    guard !found.isEmpty else { return "" }
    let header = ["case"] + columns.map(\.name)
    let rows = found.map { row in [row.caseName] + columns.map { $0.value(row) } }
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
