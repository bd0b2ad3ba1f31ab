/// A named set of values for everything that decides how a network learns; single options override it.
public enum TrainingRecipe: String, Codable, Sendable, CaseIterable {
  /// What the authors' code does: Adam, a rate halved at plateaus, the published loss and augmentation, every slice
  /// equally often, volumes whitened as a whole, 10 epochs of 900 iterations in each stage.
  case published
  /// What won on real data; docs/results.md has the comparison.
  case standard

  static let standardAugmentation: [Augmentation.Part] = [
    .rotation, .flip, .shift, .scale, .elastic, .gamma, .contrast, .noise, .blur, .biasField,
  ]
}

extension TrainingConfiguration {
  /// The values of a recipe.
  public init(_ recipe: TrainingRecipe) {
    self.init()
    take(recipe)
  }

  /// Takes the values of a recipe; data, network, split, seed and precision stay.
  public mutating func take(_ recipe: TrainingRecipe) {
    let standard = TrainingConfiguration()
    self.recipe = recipe
    switch recipe {
    case .published:
      (iterations, learningRate, schedule) = ([9000, 9000], 1e-3, .plateau)
      (loss, weightDecay, averaging, foregroundShare) = (.published, 0, 0, 0)
      (augmentation, whitening) = (Augmentation.published, .volume)
    case .standard:
      (iterations, learningRate, schedule) = (standard.iterations, standard.learningRate, standard.schedule)
      (loss, weightDecay) = (standard.loss, standard.weightDecay)
      (averaging, foregroundShare) = (standard.averaging, standard.foregroundShare)
      (augmentation, whitening) = (standard.augmentation, standard.whitening)
    }
  }
}
