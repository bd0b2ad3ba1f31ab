import Basics
import Datasets
import Foundation

extension TrainingOption {
  /// Every option, in the order of the help.
  package static let all = network + data + training

  private static let network: [TrainingOption] = [
    TrainingOption(
      .recipe, \.recipe, "Source of all options that are not given: standard, or published."),
    TrainingOption(.network, \.network, "Backbone; docs/backbones.md says which to choose.", example: "unet++"),
    TrainingOption(
      .dimensions, \.dimensions, "2 for a network of slices, or 3 for one of volumes.",
      Valid("give 2 (slices) or 3 (volumes)") { (2...3).contains($0) }),
    TrainingOption(.width, \.width, "Channels of the first level."),
    TrainingOption(.norm, \.norm, "Plain norm: bn, in, gn, ln or dsbn (a bn for each site)."),
    TrainingOption(
      .dualBlocks, \.dualBlocks,
      "Blocks with region-wise norms, or none; docs/backbones.md names those of other backbones.",
      form: "block,…", example: "[inc, down1]"),
    TrainingOption(.mask, \.mask, "How masks are resized: soft (bilinear) or hard (nearest)."),
    TrainingOption(
      .maskSource, \.maskSource, "Mask for the dual blocks: prediction, or the bounds reference and uniform."),
    TrainingOption(
      .localStatistics, \.localStatistics, "predicted, or measured: also normalize each region by its statistics."),
    TrainingOption(.reduction, \.reduction, "Ratio of a dual layer's channels to its hidden channels."),
    TrainingOption(
      .transformerLayers, \.transformerLayers, "Layers of transunet's transformer.",
      open: "2", example: "4", Valid("give 1 to 64 layers") { (1...64).contains($0) }),
    TrainingOption(
      .transformerHeads, \.transformerHeads, "Heads of each layer; they share the channels of the deepest level.",
      open: "4", example: "8", Valid("give 1 to 64 heads") { (1...64).contains($0) }),
    TrainingOption(
      .context, \.context, "Neighbouring slices in the network's input, odd.", open: "3, or 1 for 2-D data and in 3-D",
      example: "3",
      Valid("give an odd number of slices from 1 to 15, so that there is a middle one") {
        $0 % 2 == 1 && (1...15).contains($0)
      }),
  ]

  private static let data: [TrainingOption] = [
    TrainingOption(
      .data, \.data, "The data set: site folders, a dataset.json layout, or one folder of pairs.",
      open: nil, example: "../data"),
    TrainingOption(.skipUnpaired, \.skipUnpaired, "Leave out images without a mask."),
    TrainingOption(
      .mergeLabels, \.mergeLabels, "Labels that become one class; may be given again.", form: "label,…",
      example: "[[1, 2]]"),
    TrainingOption(
      .excludeLabels, \.excludeLabels, "Labels that become background.", form: "label,…", example: "[3, 5]"),
    TrainingOption(
      .window, \.window, "Clip intensities before z-score normalization, for example -125,275.", form: "low,high",
      open: nil, example: "[-125, 275]"),
    TrainingOption(
      .spacing, \.spacing, "Resample slices to this spacing in mm; for 3-D networks also z.", form: "x,y", open: nil,
      example: "[0.6, 0.6]"),
    TrainingOption(
      .resampleSize, \.resampleSize, "Resample slices to this many pixels.", form: "height,width", open: nil,
      example: "[384, 384]"),
    TrainingOption(
      .size, \.size, "Size of the windows of training: multiples of 16, or in 3-D depth, height and width.",
      form: "height,width", open: "fits every slice; in 3-D planned for a step of about a second",
      example: "[384, 384]"),
    TrainingOption(
      .whitening, \.whitening,
      "Voxels for z-score normalization: volume, foreground (those above the mean), or ct (the labelled ones of all cases).",
      open: "foreground, or ct where dataset.json names the one modality CT", example: "ct"),
    TrainingOption(
      .validationFraction, \.validationFraction, "Share of each site's patients that choose the best checkpoint."),
    TrainingOption(
      .holdOut, \.holdOut, "Share of each site's patients kept for the test, unseen.", example: "0.2"),
    TrainingOption(
      .splits, \.splits, "Folds as in nnU-Net's splits_final.json, or the splits.json of a run.", form: "file",
      open: nil, example: "splits_final.json"),
    TrainingOption(
      .fold, \.fold, "Index of a fold, from 0: its val cases are kept for the test, its train cases train.", open: nil,
      example: "2"),
  ]

  private static let training: [TrainingOption] = [
    TrainingOption(
      .iterations, \.iterations, "Iterations of the plain and of the dual stage.", form: "plain,dual",
      example: "[4000, 2000]", Valid("give \(StageIterations.expected)", \.areValid)),
    TrainingOption(
      .batchSize, \.batchSize, "Slices or 3-D windows per batch, balanced over sites.",
      open: "8, or 2 in 3-D, rounded up to a multiple of the sites", example: "8",
      Valid("give 1 to 100000 slices") { (1...100_000).contains($0) }),
    TrainingOption(
      .learningRate, \.learningRate, "Base rate of Adam.", Valid("give a number above 0, up to 1") { $0 > 0 && $0 <= 1 }
    ),
    TrainingOption(.schedule, \.schedule, "Schedule of the learning rate: cosine, or plateau as published."),
    TrainingOption(
      .weightDecay, \.weightDecay, "Decoupled weight decay (AdamW), such as 0.01.",
      Valid("give 0 (none) to 1, such as 0.01") { (0...1).contains($0) }),
    TrainingOption(.loss, \.loss, "Loss: batch-dice (with cross entropy), or published."),
    TrainingOption(.deepSupervision, \.deepSupervision, "Coarser levels of the network learn to segment too."),
    TrainingOption(
      .foregroundShare, \.foregroundShare, "Share of slices drawn from those with foreground; the rest from all.",
      Valid("give 0 to 1, such as 0.5") { (0...1).contains($0) }),
    TrainingOption(
      .averaging, \.averaging,
      "Decay of the moving average of the weights for validation and the model, such as 0.99.",
      Valid("give 0 (none) to below 1, such as 0.99") { (0..<1).contains($0) }),
    TrainingOption(
      .augmentation, \.augmentation,
      "Changes of slices: published (rotation, flip, shift), all, none, or parts: \(partNames).",
      form: "part,…", default: "published", example: "[rotation, scale]"),
    TrainingOption(
      .flipAxes, \.flipAxes,
      "Axes that flip mirrors: x (left and right), y, and z of 3-D windows; only where classes have no side.",
      form: "axis,…", open: "x with two classes, none with more", example: "[x, y]",
      Valid("name every axis once") { Set($0).count == $0.count }),
    TrainingOption(
      .zoom, \.zoom, "Largest zoom of the augmentation, from 1 (off).", example: "1.5",
      Valid("give the largest magnification, from 1 to 4") { (1...4).contains($0) }),
    TrainingOption(.weightedCrossEntropy, \.weightedCrossEntropy, "Weight rare classes in the cross entropy."),
    TrainingOption(
      .validateEvery, \.validateEvery, "Iterations between validations.",
      open: "a tenth of the stage, at least 50", example: "8", Valid("give at least 1 iteration") { $0 >= 1 }),
    TrainingOption(
      .precision, \.precision, "Convolutions in float32, tf32 (faster on GPUs), or bfloat16.",
      open: "bfloat16 if the hardware has it", example: "bfloat16"),
    TrainingOption(
      .device, \.device, "Device of the network: cpu, cuda, cuda:1, or auto.", form: "device", example: "cuda"),
    TrainingOption(
      .initial, \.initial, "Start from the weights of a run or file that fit by name and shape.", form: "run|file",
      open: nil, example: "../run"),
    TrainingOption(
      .freezeExcept, \.freezeExcept, "Train only parameters whose name contains one of these, such as outc.",
      form: "name", example: "[outc, up4]"),
    TrainingOption(.seed, \.seed, "Another seed gives another split, initialization and order."),
    TrainingOption(
      .threads, \.threads, "Processor threads.", open: "one per core", example: "2",
      // More threads than cores would slow LibTorch to a crawl.
      Valid("give 1 to \(cores), the cores of this machine") { (1...cores).contains($0) }),
    TrainingOption(
      .memory, \.memory, "Memory for one training's prepared volumes, in GB; the others are read when needed.",
      form: "GB", open: "half of the machine's, shared by an experiment's jobs", example: "2",
      Valid("give gigabytes above 0, such as 8") { $0 > 0 && $0.isFinite }),
  ]

  private static let partNames = Augmentation.Part.allCases.map(\.rawValue).joined(separator: ", ")

  private static let cores = ProcessInfo.processInfo.activeProcessorCount
}
