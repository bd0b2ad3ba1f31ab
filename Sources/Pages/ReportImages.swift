import Basics
import Datasets
import Foundation

/// The images of a report, if they can be found.
struct ReportImages {
  /// Cases by `Case.identifier`; empty if the data set cannot be read.
  let cases: [String: Case]
  let first: Case?
  /// A sentence for the page on why there are none.
  let absence: String?

  /// - Parameters:
  ///   - given: the path from the command line, which must be usable.
  ///   - recorded: the path from the folder; if it is unusable, the page says so.
  /// - Throws: `Refusal` for a given folder without cases.
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
      } catch let error as Refusal where error.kind == .input {
        absence =
          "There are no pictures, since the images cannot be read from \(recorded); say where they are with "
          + "\(Setting.data)."
      }
    } else {
      absence =
        "There are no pictures, since the folder does not say where its images are; say so with "
        + "\(Setting.data)."
    }
    cases = Dictionary(found.map { ($0.identifier, $0) }) { first, _ in first }
    first = found.first
  }
}
