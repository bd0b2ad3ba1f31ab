import Basics
package import Foundation

/// The contents of a run's `log.csv`.
package struct TrainingHistory: Equatable, Sendable {
  /// One iteration.
  package struct Row: Equatable, Sendable {
    package let stage: Stage
    /// Number of the iteration within its stage, from 1.
    package let iteration: Int
    package let learningRate: Double
    /// Loss of each pass; nil for a pass that the stage does not have.
    package let losses: [Pass: Double]
    /// Dice by site; empty if no validation followed.
    package let validationDice: [String: Double]
    /// Mean over the sites.
    package let meanValidationDice: Double?
  }

  package let rows: [Row]
  /// The sites of the validation cases.
  package let sites: [String]

  private static let header = [
    "stage", "iteration", "learning_rate", "loss_first", "loss_final", "hard_dice_loss", "validation_dice",
  ]
  private static let sitePrefix = "validation_dice_"

  /// - Throws: `Refusal` naming the file and a line that no training writes. An incomplete last line is ignored,
  ///   since a running or killed training may have written a part of it.
  package init(contentsOf url: URL) throws {
    guard let data = try? Data(contentsOf: url), let text = String(data: data, encoding: .utf8) else {
      throw Refusal(.input, url.path, "cannot be read as text", remedy: "restore the log that train wrote")
    }
    let whole =
      text.utf8.last == UInt8(ascii: "\n") ? text[...] : text[..<(text.lastIndex(of: "\n") ?? text.startIndex)]
    let records = try CSVRecords(String(whole), file: url.path).records
    guard let first = records.first, Array(first.fields.prefix(Self.header.count)) == Self.header,
      first.fields.dropFirst(Self.header.count).allSatisfy({ $0.hasPrefix(Self.sitePrefix) })
    else {
      throw Refusal(
        .input, "\(url.path), line 1", "expected the header \(Self.header.joined(separator: ","))",
        remedy: "restore the log that train wrote")
    }
    let sites = first.fields.dropFirst(Self.header.count).map { String($0.dropFirst(Self.sitePrefix.count)) }
    self.sites = sites
    rows = try records.dropFirst().map { record in
      guard let row = Row(record.fields, sites: sites) else {
        throw Refusal(
          .input, "\(url.path), line \(record.line)",
          "is no iteration of a training (\(Self.header.count + sites.count) fields, the first a stage)",
          remedy: "restore the log that train wrote")
      }
      return row
    }
  }

  /// The stages in the log, with the number of iterations of each.
  package var stages: [(stage: Stage, iterations: Int)] {
    rows.map(\.stage).firstOccurrences.map { stage in
      (stage: stage, iterations: rows.last { $0.stage == stage }?.iteration ?? 0)
    }
  }
}

extension TrainingHistory.Row {
  fileprivate init?(_ fields: [String], sites: [String]) {
    guard fields.count == 7 + sites.count, let stage = Stage(rawValue: fields[0]), let iteration = Int(fields[1]),
      (1...1_000_000_000_000).contains(iteration), let rate = Double(fields[2]),
      fields.dropFirst(3).allSatisfy({ $0.isEmpty || Double($0) != nil })
    else { return nil }
    self.stage = stage
    self.iteration = iteration
    learningRate = rate
    let named = zip(Pass.allCases, fields[3...4]).compactMap { pass, field in Double(field).map { (pass, $0) } }
    losses = Dictionary(uniqueKeysWithValues: named)
    meanValidationDice = Double(fields[6])
    let bySite = zip(sites, fields[7...]).compactMap { site, field in Double(field).map { (site, $0) } }
    validationDice = Dictionary(bySite) { first, _ in first }
  }
}
