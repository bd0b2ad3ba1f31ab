import MedicalImaging

/// How much of each class a mask holds.
public struct FoundVolumes: Equatable, Sendable {
  public let caseName: String
  public let isPicture: Bool
  /// A number a class: millilitres, or pixels of a picture.
  public let amounts: [Double]
  public let seconds: Double

  /// - Parameters:
  ///   - labels: as written to files.
  ///   - scheme: its classes.
  ///   - seconds: the time that the network took.
  public init(in labels: LabelMap, scheme: LabelScheme, of scan: Case, named caseName: String, seconds: Double = 0) {
    let counts = labels.histogram
    let spacing = labels.geometry.spacingMM
    let unit = scan.isPicture ? 1 : spacing.x * spacing.y * spacing.z / 1000
    (self.caseName, isPicture, self.seconds) = (caseName, scan.isPicture, seconds)
    amounts = scheme.groups.map { group in Double(group.reduce(0) { $0 + counts[Int($1)] }) * unit }
  }

  /// A table for the terminal: a row a case, a column a class; volumes and pictures apart.
  ///
  /// - Parameters:
  ///   - failed: cases that are not in it.
  ///   - seconds: whether the last column is the time.
  public static func table(
    of found: [FoundVolumes], failed: [String] = [], classNames: [String], seconds: Bool = false
  ) -> String {
    let tables = [false, true].map { isPicture in
      table(of: found.filter { $0.isPicture == isPicture }, unit: isPicture ? "pixels" : "mL", classNames, seconds)
    }
    let total = found.count + failed.count
    return tables.joined()
      + (failed.isEmpty ? "" : "Failed, \(failed.count) of \(total): \(listed(failed, atMost: 5)).\n")
  }

  private static func table(of found: [FoundVolumes], unit: String, _ classNames: [String], _ seconds: Bool) -> String {
    guard !found.isEmpty else { return "" }
    let header = ["case"] + classNames.map { "\($0), \(unit)" } + (seconds ? ["seconds"] : [])
    let rows = found.map { row in
      [row.caseName] + row.amounts.map { text($0, isPicture: row.isPicture) }
        + (seconds ? [fixed(row.seconds, decimals: 1)] : [])
    }
    let empty = found.filter { $0.amounts.allSatisfy { $0 == 0 } }.map(\.caseName)
    let note =
      empty.isEmpty ? "" : "Nothing was found in \(empty.count) of \(found.count): \(listed(empty, atMost: 5)).\n"
    return fixedWidth([header] + rows, leftAligned: 1) + note
  }

  /// What is there never looks like nothing.
  private static func text(_ amount: Double, isPicture: Bool) -> String {
    if isPicture || amount == 0 { return fixed(amount, decimals: 0) }
    return amount < 0.005 ? "<0.01" : fixed(amount, decimals: 2)
  }
}
