import Basics
package import Foundation
import Scores

extension ResultTable {
  static let header = [
    "method", "fold", "seed", "train_sites", "test_site", "case", "class", "pass", "metric", "value", "outcome",
  ]

  /// The table as CSV, one line a value with full precision.
  ///
  /// Undefined values are empty fields. `+` joins the names of train sites; a `\` precedes a `+` or `\` in a name.
  /// Quotes follow RFC 4180; lines end in \n. A file that was read is written again with equal bytes.
  var csv: String {
    let lines = rows.map { row in
      [
        row.method, row.fold, String(row.seed), Self.joined(row.trainSites), row.testSite, row.caseName, row.className,
        row.pass, row.metric.rawValue, row.value.map(shortest) ?? "", row.outcome.rawValue,
      ]
    }
    return ([Self.header] + lines).map { $0.map(quotedForCSV).joined(separator: ",") + "\n" }.joined()
  }

  /// - Throws: `Refusal` if the file cannot be written.
  package func write(to url: URL) throws { try writeAtomically(Data(csv.utf8), to: url) }

  /// Reads a file from `write`, or from other tools with equal columns; the order of lines does not matter.
  ///
  /// - Throws: `Refusal` naming file and line: not UTF-8, another header, or a wrong number of fields. Also for an
  ///   invalid seed, metric, value or outcome, and for two lines that contradict each other.
  package init(contentsOf url: URL) throws {
    guard let data = contents(ofRegularFile: url) else {
      throw Refusal(.input, url.path, "cannot be read", remedy: "give the CSV file of an experiment's results")
    }
    guard let text = String(data: data, encoding: .utf8) else {
      throw Refusal(.input, url.path, "is not UTF-8 text", remedy: "save it as CSV in UTF-8")
    }
    let records = try CSVRecords(text, file: url.path).records
    guard let first = records.first, first.fields == Self.header else {
      let found = records.first.map { "\"\(quoted($0.fields.joined(separator: ",")))\"" } ?? "nothing"
      throw Refusal(
        .input, "\(url.path), line 1", "expected the header \(Self.header.joined(separator: ",")) but found \(found)",
        remedy: "give the results of an experiment")
    }
    let rows = try records.dropFirst().map { record in
      try ResultRow(record.fields, place: "\(url.path), line \(record.line)")
    }
    do {
      try self.init(rows)
    } catch let error as Refusal {
      throw error.about(url.path)
    }
  }

  /// Joins names of sites with `+` to one field.
  package static func joined(_ names: [String]) -> String {
    names.map { $0.replacingOccurrences(of: "\\", with: "\\\\").replacingOccurrences(of: "+", with: "\\+") }
      .joined(separator: "+")
  }

  /// Splits a field into the names that were joined.
  static func split(_ field: String) -> [String] {
    guard !field.isEmpty else { return [] }
    var names: [[Unicode.Scalar]] = [[]]
    var escaped = false
    for scalar in field.unicodeScalars {
      switch scalar {
      case "\\" where !escaped: escaped = true
      case "+" where !escaped: names.append([])
      default:
        names[names.count - 1].append(scalar)
        escaped = false
      }
    }
    return names.map { name in
      var text = String.UnicodeScalarView()
      text.append(contentsOf: name)
      return String(text)
    }
  }
}

extension ResultRow {
  /// - Throws: `Refusal` beginning with `place`.
  fileprivate init(_ fields: [String], place: String) throws {
    guard fields.count == ResultTable.header.count else {
      throw Refusal(
        .input, place, "expected \(ResultTable.header.count) fields but found \(fields.count)",
        remedy: "correct the line")
    }
    guard let seed = UInt64(fields[2]) else {
      throw Refusal(
        .input, place, "the seed \"\(quoted(fields[2]))\" is no whole number from 0 on", remedy: "correct the line")
    }
    guard let metric = Metric(rawValue: fields[8]) else {
      let known = Convention.dualnorm.metrics(tolerancesMM: Scorer.defaultTolerancesMM).map(\.rawValue)
      throw Refusal(
        .input, place, "\"\(quoted(fields[8]))\" is no metric",
        question: "did you mean \(nearest(to: fields[8], among: known))")
    }
    let value = Double(fields[9])
    guard fields[9].isEmpty || value?.isFinite == true else {
      throw Refusal(
        .input, place, "the value \"\(quoted(fields[9]))\" is no number",
        remedy: "write a number, or nothing where it is undefined")
    }
    guard let outcome = Outcome(rawValue: fields[10]) else {
      throw Refusal(
        .input, place, "\"\(quoted(fields[10]))\" is no outcome",
        detail: "expected one of \(listed(Outcome.allCases.map(\.rawValue), atMost: 4))")
    }
    self.init(
      method: fields[0], fold: fields[1], seed: seed, trainSites: ResultTable.split(fields[3]), testSite: fields[4],
      caseName: fields[5], className: fields[6], pass: fields[7], metric: metric, value: value, outcome: outcome)
  }
}
