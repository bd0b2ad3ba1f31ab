import Basics
import Datasets
import DualNorm
import Foundation

/// The ways to choose the next case to label.
enum LabellingStrategy: String, CaseIterable {
  /// Any case, rather one that was not handed out lately.
  case random
  /// The case in which the model is least certain.
  case uncertain
  /// A case of the site with the fewest labelled cases.
  case siteBalanced = "site-balanced"

  var summary: String {
    switch self {
    case .random: "Any case without a label, rather one that was not handed out lately."
    case .uncertain: "The case whose segmentation is least certain, by one less the expected Dice."
    case .siteBalanced: "A case of the site with the fewest labelled cases."
    }
  }
}

/// Chooses cases to label, and remembers which were handed out.
actor CaseChooser {
  private var generator: SeededGenerator
  private var handedOut: [String: Date] = [:]

  init(seed: UInt64) { generator = .stream(seed: seed, 0x5E) }

  /// A case without a label.
  ///
  /// - Parameters:
  ///   - cases: all cases by identifier.
  ///   - uncertainties: by identifier; the strategy `uncertain` chooses among these.
  /// - Returns: nil if every case has a label.
  func next(
    _ strategy: LabellingStrategy, among cases: [String: Case], uncertainties: [String: Double] = [:],
    now: Date = Date()
  ) -> (identifier: String, weight: Double)? {
    let open = cases.filter { !$0.value.isLabelled }.keys.sorted()
    guard !open.isEmpty else { return nil }
    let chosen: (String, Double)
    switch strategy {
    case .random: chosen = drawn(among: open, now)
    case .uncertain:
      let rested = open.filter { uncertainties[$0] != nil && isRested($0, now) }
      let known = rested.isEmpty ? open.filter { uncertainties[$0] != nil } : rested
      guard let best = known.max(by: { uncertainties[$0]! < uncertainties[$1]! }) else {
        chosen = drawn(among: open, now)
        break
      }
      chosen = (best, uncertainties[best]!)
    case .siteBalanced:
      let labelled = Dictionary(grouping: cases.values.filter(\.isLabelled), by: \.site).mapValues(\.count)
      // Cases that were handed out lately count as labelled, so that several people get different sites.
      let away = Dictionary(grouping: open.filter { !isRested($0, now) }.map { cases[$0]!.site }) { $0 }.mapValues(
        \.count)
      func count(_ identifier: String) -> Int {
        let site = cases[identifier]!.site
        return labelled[site, default: 0] + away[site, default: 0]
      }
      let fewest = open.map(count).min()!
      chosen = drawn(among: open.filter { count($0) == fewest }, now)
    }
    handedOut[chosen.0] = now
    return chosen
  }

  private static let secondsOfRest = 3600.0

  private func isRested(_ identifier: String, _ now: Date) -> Bool {
    handedOut[identifier].map { now.timeIntervalSince($0) > Self.secondsOfRest } ?? true
  }

  /// Draws by the seconds since a case was handed out, at most an hour.
  private func drawn(among open: [String], _ now: Date) -> (String, Double) {
    let weights = open.map { identifier in
      handedOut[identifier].map { min(max(now.timeIntervalSince($0), 1), Self.secondsOfRest) } ?? Self.secondsOfRest
    }
    var left = generator.uniform() * weights.reduce(0, +)
    for (identifier, weight) in zip(open, weights) {
      left -= weight
      if left < 0 { return (identifier, weight) }
    }
    return (open.last!, weights.last!)
  }
}

/// Segments cases without a label while nothing else is to do, and keeps how uncertain each is.
actor UncertaintyScores {
  private let model: ServedModel
  private let queue: SegmentationQueue
  private let largestComponent: LargestComponentChoice
  /// nil for a case that the model could not segment, which needs a person's eye first.
  private var known: [String: (stamp: Date?, value: Double?)] = [:]
  private var work: Task<Void, Never>?

  init(_ model: ServedModel, _ queue: SegmentationQueue, _ largestComponent: LargestComponentChoice) {
    (self.model, self.queue, self.largestComponent) = (model, queue, largestComponent)
  }

  /// The uncertainties that are known; a case with nothing found counts 1.
  ///
  /// - Parameters:
  ///   - fewest: the number to wait for, if there are as many cases.
  ///   - limit: the longest time to wait.
  func scores(of cases: [String: Case], waitingFor fewest: Int, atMost limit: Duration) async -> [String: Double] {
    let open = cases.filter { !$0.value.isLabelled }
    start(open)
    let end = ContinuousClock.now + limit
    var found = current(open)
    while found.count < min(fewest, open.count), work != nil, .now < end {
      try? await Task.sleep(for: .milliseconds(50))
      found = current(open)
    }
    return found.compactMapValues { $0 }
  }

  func cancel() { work?.cancel() }

  private func current(_ open: [String: Case]) -> [String: Double?] {
    known.filter { open[$0.key].map { Self.stamp(of: $0) } == $0.value.stamp }.mapValues(\.value)
  }

  private func start(_ open: [String: Case]) {
    guard work == nil else { return }
    let found = current(open)
    let missing = open.keys.filter { found[$0] == nil }.sorted()
    guard !missing.isEmpty else { return }
    work = Task {
      for identifier in missing where !Task.isCancelled { await score(identifier, open[identifier]!) }
      work = nil
    }
  }

  private func score(_ identifier: String, _ scan: Case) async {
    var value: Double?
    do {
      var wish = try SegmentationWish(model, site: nil, adapt: nil, folderSite: scan.site)
      wish.keepsUncertainty = true
      let found = try await model.segment(scan, wish, queue, whenIdle: true, largestComponent: largestComponent)
      value = found.last.uncertainty?.ofCase ?? 1
    } catch is CancellationError {
      return
    } catch {}
    known[identifier] = (Self.stamp(of: scan), value)
  }

  private static func stamp(of scan: Case) -> Date? {
    (try? FileManager.default.attributesOfItem(atPath: scan.reference.path)[.modificationDate]) as? Date
  }
}
