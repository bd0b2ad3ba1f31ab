import Basics
import Datasets
import Foundation

/// Where the images of a report are.
struct ReportImages {
  /// By `Case.identifier`; empty where the data set cannot be read.
  let cases: [String: Case]
  let first: Case?
  /// Why there are none, in a sentence for the page.
  let absence: String?

  /// - Parameters:
  ///   - given: on the command line; must be usable.
  ///   - recorded: in the folder; the page says so where it is not.
  /// - Throws: `InputError` for a given folder without cases.
  init(given: String?, recorded: String?, modalityCount: Int) throws {
    func read(_ path: String) throws -> [Case] {
      try Dataset(contentsOf: URL(fileURLWithPath: path), requireMasks: false, modalityCount: modalityCount).cases
    }
    var found: [Case] = []
    if let given {
      found = try read(given)
      absence = nil
    } else if let recorded {
      do {
        found = try read(recorded)
        absence = nil
      } catch is InputError {
        absence =
          "There are no pictures, since the images cannot be read from \(recorded); say where they are with --data."
      }
    } else {
      absence = "There are no pictures, since the folder does not say where its images are; say so with --data."
    }
    cases = Dictionary(found.map { ($0.identifier, $0) }) { first, _ in first }
    first = found.first
  }
}
