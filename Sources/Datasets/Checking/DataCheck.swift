import Basics
import Dispatch
import Foundation
package import MedicalImaging

/// The faults of a data set, a summary of each site, and the facts that planning needs; every file is read once.
package struct DataCheck: Sendable {
  /// Facts of the readable cases whose image and mask are not exchanged, in the order of the data set.
  package let facts: [CaseFacts]
  /// Errors first, then warnings and notes.
  package let findings: [Finding]
  /// Sorted by site.
  package let sites: [SiteSummary]

  /// Reads all cases.
  ///
  /// - Parameters:
  ///   - merge: labels that training will merge; sites are compared after merging.
  ///   - exclude: labels that training will treat as background; they are no foreground, and sites are compared without
  ///     them.
  ///   - splits: folds or a split whose sides must not share a patient or an image.
  ///   - threads: cases read in parallel, which bounds the memory: one image and one mask a thread.
  ///   - progress: receives the cases done and their total, one call at a time, on any thread.
  ///   - shouldStop: asked before each case, on any thread.
  /// - Throws: `StopRequested` when `shouldStop` returns true.
  package static func run(
    on dataset: Dataset, merge: [[LabelValue]] = [], exclude: [LabelValue] = [], splits: SplitSides? = nil,
    threads: Int = 2,
    progress: (@Sendable (Int, Int) -> Void)? = nil, shouldStop: @Sendable () -> Bool
  ) throws -> DataCheck {
    let inspections = try concurrentMap(dataset.cases, threads: threads, progress: progress) { scan in
      shouldStop() ? nil : CaseInspection(scan, of: dataset, exclude: Set(exclude))
    }.map { inspection in
      guard let inspection else { throw StopRequested() }
      return inspection
    }
    return DataCheck(of: dataset, inspections, merge: merge, exclude: exclude, splits: splits)
  }

  /// Reads all cases and cannot be stopped.
  package static func run(
    on dataset: Dataset, merge: [[LabelValue]] = [], exclude: [LabelValue] = [], splits: SplitSides? = nil,
    threads: Int = 2,
    progress: (@Sendable (Int, Int) -> Void)? = nil
  ) -> DataCheck {
    let inspections = concurrentMap(dataset.cases, threads: threads, progress: progress) {
      CaseInspection($0, of: dataset, exclude: Set(exclude))
    }
    return DataCheck(of: dataset, inspections, merge: merge, exclude: exclude, splits: splits)
  }

  private init(
    of dataset: Dataset, _ inspections: [CaseInspection], merge: [[LabelValue]], exclude: [LabelValue],
    splits: SplitSides?
  ) {
    facts = inspections.filter { !$0.isExchanged }.compactMap(\.facts)
    let rules = DataCheckRules(
      facts: facts, labelNames: dataset.labelNames, namesFile: dataset.labelNamesFile, merge: merge,
      exclude: Set(exclude))
    let comparison = CaseComparison(facts)
    let all =
      inspections.filter { !$0.isExchanged }.flatMap(\.findings)
      + DataCheckRules.exchanged(inspections, in: dataset) + DataCheckRules.unread(in: dataset)
      + DataCheckRules.segmentNames(in: dataset) + rules.findings()
      + comparison.findings() + (splits?.findings(facts) ?? [])
    findings = [Severity.error, .warning, .note].flatMap { severity in all.filter { $0.severity == severity } }
    sites = SiteSummary.summaries(of: facts)
  }

  package var errors: [Finding] { findings.filter { $0.severity == .error } }

  /// Reports findings that leave the data trainable but would make the network wrong.
  ///
  /// - Throws: `Refusal` with the first error, if there is one, and the number of others.
  package func requireNoErrors() throws {
    for group in FindingGroup.groups(of: findings.filter(\.makesNetworkWrong)) { Warnings.report(group.sentence) }
    guard let first = errors.first else { return }
    let refusal = Refusal(.input, sentence: first.message)
    throw errors.count > 1
      ? refusal.followed(by: "(The check found \(counted(errors.count - 1, "more error")).)") : refusal
  }
}
