import Basics
import MedicalImaging

extension TrainedModel {
  /// The way from a volume to its mask in words, one step a line, for programs that have the exported file alone.
  func instructions(_ output: ExportedOutput) -> String {
    let plan = description.preparation
    let steps = [reading] + plan.instructions + [input] + (output == .mask ? masks : probabilities) + restoring
    return steps.enumerated().map { "\($0 + 1). \($1)" }.joined(separator: "\n")
  }

  private var reading: String {
    let modalities = "Read a volume for each modality: \(description.modalities.joined(separator: ", "))."
    guard let orientation = description.preparation.orientation else {
      return modalities + " Keep their axes as stored."
    }
    return modalities
      + " Turn them so that the axes x, y and z run towards \(orientation.code.map(String.init).joined(separator: ", "))."
  }

  private var input: String {
    let plan = description.preparation
    guard !plan.isOfVolumes else {
      return "Give the graph windows as image [N, modality, z, y, x]."
    }
    return plan.contextSlices == 1
      ? "Give the graph slices as image [N, modality, y, x]."
      : "Give the graph slices as image [N, channel, y, x]. The channels are \(plan.contextSlices) slices of the first "
        + "modality, then those of the next. The slice itself is in the middle. Beyond the volume its last slice repeats."
  }

  /// The steps from masks of windows to one mask, which are not `predict`'s where windows overlap or slices are resampled.
  private var masks: [String] {
    [
      "Masks cannot be averaged where windows overlap, or interpolated linearly: a graph of probabilities allows both.",
      description.preparation.resampling == .none
        ? "Join the masks of the windows."
        : "Join the masks, and bring them back to the volume's grid by nearest neighbour.",
    ]
  }

  /// The steps from probabilities of windows to one mask.
  private var probabilities: [String] {
    let plan = description.preparation
    return [
      "Where windows overlap, average the logarithms of their probabilities. The weight of a voxel is the product over "
        + "the axes of exp(−(i − s/2)² / (2 (s/8)²)) for place i, counted from 0, in a window of s voxels, with s/2 "
        + "rounded down.",
      plan.nnUNet != nil
        ? "Resample these averages back as nnU-Net does with logits, then choose the most probable class."
        : plan.resampling == .none
          ? "Choose the most probable class of each voxel."
          : "Interpolate the probabilities linearly back to the volume's grid, then choose the most probable class.",
    ]
  }

  private var restoring: [String] {
    let components = description.largestComponentNames()
    return [
      components.isEmpty
        ? "Keep all connected components."
        : "Keep only the largest connected component (26 neighbours) of \(components.joined(separator: ", ")).",
      "Write each class as its value in dualnorm.labels"
        + (description.preparation.orientation == nil ? "." : ", and turn the mask back."),
    ]
  }
}

extension PreparationPlan {
  /// The steps from voxels as stored to windows.
  fileprivate var instructions: [String] {
    guard nnUNet == nil else { return ["Prepare as nnU-Net does: \(text()). dualnorm.model has all numbers."] }
    let clipping = window.map { "Clip intensities to \($0.low)…\($0.high)." }
    let resampling: String? =
      switch resampling {
      case .none: nil
      case .spacingMM(let x, let y, let z):
        "Resample to \(([x, y] + (z.map { [$0] } ?? [])).map { "\($0)" }.joined(separator: "×")) mm (x×y\(z == nil ? "" : "×z")), or to "
          + "the nearest spacing that gives whole numbers of voxels. The edges of the volume stay in place. Interpolate linearly."
      case .size(let height, let width):
        "Resample slices linearly to \(height)×\(width) pixels (y×x). Their edges stay in place."
      }
    return [clipping, whiteningInstruction, resampling, windowInstruction].compactMap { $0 }
  }

  private var whiteningInstruction: String {
    let part =
      switch whitening {
      case .volume: "the mean of all voxels, and divide by their population standard deviation, for each modality"
      case .foreground:
        "the mean of the voxels above the volume's mean, and divide by their population standard deviation, for each "
          + "modality. Take all voxels where the variance of these is below 1 % of the volume's"
      case .ct: "\(moments!.mean), and divide by \(moments!.deviation)"
      }
    return "Subtract \(part)."
  }

  private var windowInstruction: String {
    let edges = "Beyond the volume its edge repeats; the odd voxel of padding comes last."
    let overlapping =
      "Where the volume is larger, take the fewest evenly spread windows whose starts are at most half a window apart."
    switch (networkSize, padsSlices) {
    case (let size?, true):
      return "Cut windows of \(size) voxels (\(isOfVolumes ? "z×y×x" : "y×x")), around the centre where the volume is "
        + "smaller. \(edges) \(overlapping)"
    case (nil, true): return "Pad slices on both sides to multiples of \(multiples.max()!). \(edges)"
    case (_, false): return "Take slices as they are, at least \(multiples.max()!) a side. \(edges)"
    }
  }
}
