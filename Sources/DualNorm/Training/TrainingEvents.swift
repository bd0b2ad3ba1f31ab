import Foundation
import TensorBoard
import Torch

/// What a run tells TensorBoard. A step is an iteration, counted through both stages.
final class TrainingEvents {
  private let folder: URL
  private var file: EventFile?

  init(_ folder: URL) { self.folder = folder }

  /// The scalars of an iteration.
  func append(_ progress: TrainingProgress, step: Int) throws {
    var values = progress.losses.map { EventValue.scalar("loss/\($0.pass.rawValue) pass", $0.value) }
    values.append(.scalar("learning rate", progress.learningRate))
    if let hardDice = progress.losses.last?.hardDice { values.append(.scalar("loss/hard Dice", hardDice)) }
    if let validation = progress.validation {
      if let dice = validation.dice { values.append(.scalar("validation Dice/mean of sites", dice)) }
      for (site, dice) in validation.diceBySite.sorted(by: { $0.key < $1.key }) {
        values.append(.scalar("validation Dice/\(site)", dice))
      }
    }
    try append(values, step: step)
  }

  /// Histograms of what the network has learnt.
  func append(weightsOf network: DualNormUNet, step: Int) throws {
    try append(
      network.parameters.trainable.map { .histogram("weights/\($0.name)", $0.tensor.values(Float.self)) }, step: step)
  }

  /// The file is made with its first event, which a resumed run has later than its first start.
  private func append(_ values: [EventValue], step: Int) throws {
    let file = try self.file ?? EventFile(in: folder, from: step)
    self.file = file
    try file.append(values, step: step)
  }
}
