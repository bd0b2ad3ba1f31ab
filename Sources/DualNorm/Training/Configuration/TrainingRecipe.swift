import Torch

/// A named set of values for everything that decides how a network learns. Single options override it.
package enum TrainingRecipe: String, Codable, Sendable, CaseIterable {
  /// The authors' code: Adam, a rate halved at plateaus, and the published loss and augmentation.
  ///
  /// Slices are drawn equally often, volumes are normalized as a whole, and each stage has 10 epochs of 900 iterations.
  case published
  /// The published recipe with measured improvements; docs/results.md has the effect of each.
  ///
  /// The improvements are deep supervision, normalization by the brighter voxels, Dice over the batch, and a cosine for
  /// the rate. Half of a site's turns go to slices with foreground.
  case standard
}

extension TrainingConfiguration {
  /// The values of a recipe.
  package init(_ recipe: TrainingRecipe) {
    self.init()
    self.recipe = recipe
    guard recipe == .published else { return }
    (iterations, learningRate, schedule) = ([9000, 9000], 1e-3, .plateau)
    (loss, deepSupervision, foregroundShare, whitening) = (.published, false, 0, .volume)
    precision = .tf32  // PyTorch's float32
  }

  /// The defaults of the version before there were recipes, whose `augmentation` was true or false.
  static var beforeRecipes: TrainingConfiguration {
    var result = TrainingConfiguration(.published)
    let standard = TrainingConfiguration()
    (result.iterations, result.schedule) = (standard.iterations, standard.schedule)
    (result.context, result.precision) = (3, .float32)
    return result
  }
}
