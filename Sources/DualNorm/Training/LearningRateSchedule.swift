import Foundation

/// The learning rate over a stage. A checkpoint saves its whole state.
package struct LearningRateSchedule: Codable, Equatable, Sendable {
  package enum Kind: String, Codable, Sendable, CaseIterable {
    /// Half a cosine, from the base rate down to a hundredth of it.
    case cosine
    /// The published schedule, which halves the rate when the hard Dice loss stops falling.
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

  /// Updates the rate after an iteration.
  ///
  /// - Parameters:
  ///   - iteration: number of finished iterations of the stage, from 1.
  ///   - total: number of iterations of the stage.
  ///   - hardDiceLoss: the loss of the iteration's last pass.
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

  /// Resumes a stage of `total` iterations after `iteration` of them. A cosine continues as one of this length; a
  /// plateau does not depend on the length.
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
