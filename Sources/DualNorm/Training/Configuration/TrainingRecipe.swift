import Torch

/// A named set of values for everything that decides how a network learns; single options override it.
package enum TrainingRecipe: String, Codable, Sendable, CaseIterable {
  /// What the authors' code does: Adam, a rate halved at plateaus, the published loss and augmentation, every slice
  /// equally often, volumes whitened as a whole, 10 epochs of 900 iterations in each stage.
  case published
  /// The published one but for what was measured to be better: deep supervision, slices with foreground in half of a
  /// site's turns, whitening by the brighter voxels, a Dice over the batch, a cosine for the rate. docs/results.md has what
  /// each part does.
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
