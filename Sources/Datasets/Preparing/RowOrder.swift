import Basics
import MedicalImaging

extension DataRecipe {
  /// The share of the spread below which the other order of rows counts as the right one.
  ///
  /// A structure is more uniform than its surroundings, so labels upside down cover a wider range of intensities.
  private static let clearlyBetter = 0.7

  /// Checks the order of rows by the image itself, for files without a header that vouches for the fit.
  ///
  /// - Throws: `Refusal` if the labels fit the image clearly better with their rows in the other order.
  func requireRowsInOrder(_ labels: LabelMap, _ image: Image, file: String) throws {
    let given = spread(of: labels, in: image)
    let reversed = spread(of: labels.withRowsReversed(), in: image)
    guard reversed < DataRecipe.clearlyBetter * given else { return }
    throw Refusal(
      .input, file,
      "its labels fit their image much better with the rows in the other order (standard deviation within labels "
        + "\(short(reversed)) against \(short(given)))",
      remedy: "\(flipYVoxels.contains(.labels) ? "take labels out of" : "add labels to") flip-y-voxels in the recipe")
  }

  /// The pooled standard deviation of the intensities, clipped to the window, within each label above 0.
  private func spread(of labels: LabelMap, in image: Image) -> Double {
    let low = Float(window?[0] ?? -.infinity)
    let high = Float(window?[1] ?? .infinity)
    var count = [Double](repeating: 0, count: Int(labels.voxels.max() ?? 0) + 1)
    var (sum, squares) = (count, 0.0)
    image.forEachMeasured { index, value in
      let label = labels.voxels[index]
      guard label != 0 else { return }
      let value = Double(min(max(value, low), high))
      count[Int(label)] += 1
      sum[Int(label)] += value
      squares += value * value
    }
    let total = count.reduce(0, +)
    guard total > 0 else { return 0 }
    let explained = zip(sum, count).reduce(0.0) { $1.1 > 0 ? $0 + $1.0 * $1.0 / $1.1 : $0 }
    return max(0, (squares - explained) / total).squareRoot()
  }
}
