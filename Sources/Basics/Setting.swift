/// A thing that a user can set, and that a sentence refers to: `"\(Setting.holdOut) is 0"`.
///
/// How it reads is up to the front end (`Wording`), which the command line's tests hold against its options.
package enum Setting: String, CaseIterable, Sendable, CustomStringConvertible {
  // Training: the keys of its YAML file
  case data, recipe, network, dimensions, width, norm, mask, reduction, context, window, spacing, size, whitening,
    iterations,
    schedule, loss, averaging, augmentation, zoom, precision, device, seed, threads, memory, splits, fold
  case initial = "init"
  case freezeExcept = "freeze-except"
  case weightDecay = "weight-decay"
  case foregroundShare = "foreground-share"
  case deepSupervision = "deep-supervision"
  case dualBlocks = "dual-blocks"
  case maskSource = "mask-source"
  case localStatistics = "local-statistics"
  case transformerLayers = "transformer-layers"
  case transformerHeads = "transformer-heads"
  case mergeLabels = "merge-labels"
  case excludeLabels = "exclude-labels"
  case resampleSize = "resample-size"
  case validationFraction = "validation-fraction"
  case holdOut = "hold-out"
  case batchSize = "batch-size"
  case learningRate = "learning-rate"
  case weightedCrossEntropy = "weighted-cross-entropy"
  case validateEvery = "validate-every"
  case flipAxes = "flip-axes"

  // Data and files
  case images, labels, format, series, aet, credentials, ca, fix, output, orientation, training, site, sites
  case skipUnpaired = "skip-unpaired"

  // Runs and evaluation
  case model, resume, config, split, adapt, overlap, time, mirror, uncertainty, probabilities
  case largestComponent = "largest-component"
  case noLargestComponent = "no-largest-component"

  // Scores
  case prediction, reference, like, tolerance, metric
  case allowMissing = "allow-missing"

  // Serving
  case listen, token
  case allowOrigin = "allow-origin"

  // Experiments
  case methods, seeds, folds

  package var description: String { Wording.current.setting(self) }

  /// The words that set it to a value, for a command to be typed.
  package func words(_ value: String) -> [String] { [description, value] }
}

/// The key of the setting in files.
extension Setting: CodingKey {}
