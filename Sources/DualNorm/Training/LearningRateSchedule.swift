import Foundation

/// How the learning rate goes over a stage. Its whole state is saved in a checkpoint.
package struct LearningRateSchedule: Codable, Equatable, Sendable {
  package enum Kind: String, Codable, Sendable, CaseIterable {
    /// Half a cosine from the base rate to a hundredth of it.
    case cosine
    /// The published one: halved when the hard Dice loss stops falling.
    case plateau
  }

  let kind: Kind
  let base: Double
  /// The rate of the next iteration.
  private(set) var rate: Double

  // PyTorch's ReduceLROnPlateau, factor 0.5, patience 5, relative threshold 1e-4.
  private var best = Double.greatestFiniteMagnitude
  private var badChecks = 0
  private var recentLosses: [Double] = []

  init(_ kind: Kind, base: Double) {
    self.kind = kind
    self.base = base
    rate = base
  }

  /// Takes note of a finished iteration.
  ///
  /// - Parameters:
  ///   - iteration: finished iterations of the stage, from 1.
  ///   - total: iterations of the stage.
  ///   - hardDiceLoss: of the iteration's last pass.
  mutating func finish(iteration: Int, of total: Int, hardDiceLoss: Double) {
    switch kind {
    case .cosine: resume(at: iteration, of: total)
    case .plateau:
      recentLosses.append(hardDiceLoss)
      if recentLosses.count == Self.checkEvery {
        let mean = recentLosses.reduce(0, +) / Double(recentLosses.count)
        recentLosses = []
        if rate > 1e-5 { check(mean) }
      }
    }
  }

  /// Goes on in a stage of `total` iterations, of which `iteration` are finished: a cosine is that of this length from here
  /// on, a plateau knows no length.
  mutating func resume(at iteration: Int, of total: Int) {
    guard kind == .cosine, iteration > 0 else { return }
    let progress = Double(iteration) / Double(max(total, 1))
    rate = base * (0.01 + 0.99 * 0.5 * (1 + cos(.pi * min(progress, 1))))
  }

  private static let checkEvery = 50

  private mutating func check(_ loss: Double) {
    if loss < best * (1 - 1e-4) {
      (best, badChecks) = (loss, 0)
    } else {
      badChecks += 1
    }
    if badChecks > 5 {
      rate *= 0.5
      badChecks = 0
    }
  }
}
