import Foundation

@testable import Experiments
@testable import Scores

/// Results of scipy 1.17, statsmodels and numpy, from Tools/fixtures_statistics.py.
struct StatisticsFixture: Decodable {
  struct Wilcoxon: Decodable {
    let name: String
    let differences: [Double]
    let statistic, pValue: Double
  }
  struct Holm: Decodable { let pValues, adjusted: [Double] }
  struct Bootstrap: Decodable {
    let name: String
    let strata: [[Double]]
    let lower, upper, standardError: Double
  }
  struct Moments: Decodable {
    let count: Int
    let mean, sd: Double?
  }
  struct Expected: Decodable {
    let overCases, betweenSeeds: Moments
  }
  struct Arm: Decodable {
    let sites: [String: Expected]
    let meanOfSites, allCases: Expected
    let misses: Int
  }
  struct Comparison: Decodable {
    let pairs, unpaired: Int
    let meanDifference, pValue, adjustedP: Double
  }
  struct Table: Decodable {
    let arms: [String: Arm]
    let comparisons: [String: Comparison]
  }
  let wilcoxon: [Wilcoxon]
  let holm: [Holm]
  let bootstrap: [Bootstrap]
  let table: [String: Table]

  static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    .appendingPathComponent("../../Fixtures/statistics").standardizedFileURL

  static func read() throws -> StatisticsFixture {
    try JSONDecoder().decode(
      StatisticsFixture.self, from: Data(contentsOf: folder.appendingPathComponent("statistics.json")))
  }
}

/// A row of one class and pass, without a file.
func resultRow(
  _ method: String, _ site: String, _ name: String, _ value: Double?, seed: UInt64 = 0, fold: String = "0",
  trainSites: [String] = ["A"], className: String = "organ", pass: String = "first", metric: Metric = .dice,
  outcome: Outcome = .found
) -> ResultRow {
  ResultRow(
    method: method, fold: fold, seed: seed, trainSites: trainSites, testSite: site, caseName: name,
    className: className, pass: pass, metric: metric, value: value, outcome: outcome)
}
