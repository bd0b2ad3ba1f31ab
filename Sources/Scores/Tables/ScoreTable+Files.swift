import Basics
package import Foundation

extension ScoreTable {
  /// The scores as CSV: one row a case, pass and class, in full precision.
  ///
  /// Undefined values are empty fields. Quotes follow RFC 4180; lines end in \n.
  /// - The column `split` exists if the data are the run's own: the side of the split that each case was on.
  /// - The column `unit` exists for pictures and says px, even if the names of other columns say mm.
  /// - The column `convention` exists for another tool's convention, whose name also prefixes the metric columns.
  var csv: String {
    let isOurs = convention == .dualnorm
    let isInMM = lengthUnit == .mm
    let hasSides = !sides.isEmpty
    let prefix = isOurs ? "" : convention.rawValue + "_"
    var header = ["site", "case"]
    if hasSides { header.append("split") }
    header += ["pass", "class", "label", "class_name", "outcome"]
    if !isInMM { header.append("unit") }
    if !isOurs { header.append("convention") }
    header += metrics.map { prefix + $0.rawValue }
    let rows = scores.map { score -> [String] in
      var row = [score.site, score.caseName]
      if hasSides { row.append(score.side?.rawValue ?? "") }
      row += [score.pass, String(score.classIndex), score.label ?? "", score.className, score.outcome.rawValue]
      if !isInMM { row.append(lengthUnit.rawValue) }
      if !isOurs { row.append(convention.tool) }
      return row + metrics.map { score[$0].map(shortest) ?? "" }
    }
    return ([header] + rows).map { $0.map(quotedForCSV).joined(separator: ",") + "\n" }.joined()
  }

  /// The conventions, every score and the summaries; an undefined value is null, an infinite one "inf".
  func json() throws -> Data {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    encoder.nonConformingFloatEncodingStrategy = .convertToString(
      positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
    return try encoder.encode(self) + Data("\n".utf8)
  }

  /// Writes CSV or JSON, by the file's extension.
  ///
  /// - Throws: `Refusal` for another extension, or if the file cannot be written.
  package func write(to url: URL) throws {
    switch url.pathExtension.lowercased() {
    case "csv": try writeAtomically(Data(csv.utf8), to: url)
    case "json": try writeAtomically(json(), to: url)
    default:
      throw Refusal(
        .input, url.path, "scores are written as .csv or .json", remedy: "give the file one of these endings")
    }
  }
}

/// Quotes a field for CSV if needed (RFC 4180).
package func quotedForCSV(_ field: String) -> String {
  guard field.unicodeScalars.contains(where: { ",\"\r\n".unicodeScalars.contains($0) }) else { return field }
  return "\"" + field.replacingOccurrences(of: "\"", with: "\"\"") + "\""
}

extension ScoreTable: Codable {
  private enum Key: String, CodingKey {
    case convention, conventions, lengthUnit, unseenSites, tolerancesMM, scores, summaries, failures, warnings
  }

  /// Definitions that a reader of the file needs to interpret its numbers.
  private struct Conventions: Encodable {
    let metrics: [Metric: String]
    var surface: String?
    var tool: String?
    let unit: String
    let outcomes: [Outcome: String]
    var summaries =
      "count is the number of values behind a mean; standardDeviation is the sample's (n - 1); meanOfSites gives every site the same weight, allCases every case; without a class: the mean of the classes' means"

    init(_ convention: Convention, tolerancesMM: [Double], lengthUnit: LengthUnit) {
      let rules = convention.rules
      metrics = Dictionary(
        uniqueKeysWithValues: rules.columns(tolerancesMM: tolerancesMM).map { ($0.metric, $0.definition) })
      outcomes = rules.outcomes
      unit =
        switch (rules.distanceUnit, lengthUnit) {
        case (.mm, .mm): "mm, with the spacing of the files"
        case (.mm, .px): "px, pixels of pictures; names with mm and mm3 hold px and px²"
        default: "voxels, whatever the spacing"
        }
      if rules.distanceUnit != nil {
        surface =
          "voxels with one of their six neighbours outside the mask (outside the image is outside), in a grid of one slice one of the four in it; distances run between voxel centres"
      }
      if convention != .dualnorm { tool = rules.tool }
      if let note = rules.meansNote { summaries += ". " + note }
    }
  }

  package func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: Key.self)
    if convention != .dualnorm { try container.encode(convention, forKey: .convention) }
    try container.encode(
      Conventions(convention, tolerancesMM: tolerancesMM, lengthUnit: lengthUnit), forKey: .conventions)
    try container.encode(lengthUnit, forKey: .lengthUnit)
    if !unseenSites.isEmpty { try container.encode(unseenSites, forKey: .unseenSites) }
    try container.encode(tolerancesMM, forKey: .tolerancesMM)
    try container.encode(scores, forKey: .scores)
    try container.encode(summaries, forKey: .summaries)
    if !failures.isEmpty { try container.encode(failures, forKey: .failures) }
    if !warnings.isEmpty { try container.encode(warnings, forKey: .warnings) }
  }

  package init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: Key.self)
    self.init(
      try container.decode([CaseScore].self, forKey: .scores),
      tolerancesMM: try container.decode([Double].self, forKey: .tolerancesMM),
      convention: try container.decodeIfPresent(Convention.self, forKey: .convention) ?? .dualnorm,
      lengthUnit: try container.decodeIfPresent(LengthUnit.self, forKey: .lengthUnit) ?? .mm)
    unseenSites = try container.decodeIfPresent([String].self, forKey: .unseenSites) ?? []
    failures = try container.decodeIfPresent([CaseFailure].self, forKey: .failures) ?? []
    warnings = try container.decodeIfPresent([String].self, forKey: .warnings) ?? []
  }
}
