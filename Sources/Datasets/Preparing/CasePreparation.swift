import Basics
import Foundation
import MedicalImaging

/// A source's case after its recipe.
struct CaseByRecipe {
  let images: [Image]
  let labels: LabelMap
  let facts: PreparedCaseFacts
}

extension DataRecipe {
  /// Reads a case and applies the recipe.
  ///
  /// - Parameter crops: whether to crop the case to its labelled slices; test cases must not be cropped.
  /// - Throws: `Refusal` for files that cannot be read, or if they do not fit each other or the recipe.
  func prepare(_ scan: Case, crops: Bool) throws -> CaseByRecipe {
    var (images, labels) = try read(scan)
    if flipY { (images, labels) = (images.map { $0.withRowsReversed() }, labels.withRowsReversed()) }
    let source = labels
    labels.voxels = labels.voxels.map { [valueMap] value in valueMap[Int(value)] }
    let slices = crops ? try labelledSlices(of: labels, scan) : 0..<labels.geometry.size.z
    labels = labels.slices(slices, step: everyNthSlice)
    for index in images.indices {
      images[index] = images[index].slices(slices, step: everyNthSlice)
      try clip(&images[index], name: scan.images[index].path)
    }
    if let resampleSize {
      let grid = labels.geometry.inPlane(size: [resampleSize[1], resampleSize[0]])
      if grid != labels.geometry {
        images = images.map { $0.resampled(onto: grid, interpolation: .linear) }
        labels = labels.resampled(onto: grid)
      }
    }
    return CaseByRecipe(
      images: images, labels: labels,
      facts: PreparedCaseFacts(scan, source: source, result: labels, slices: slices))
  }

  /// Reads the case's files with the source's faults corrected, all on one grid.
  private func read(_ scan: Case) throws -> (images: [Image], labels: LabelMap) {
    guard let file = scan.mask else { throw Refusal(.input, scan.reference.path, "has no mask", remedy: "give it one") }
    var images = try scan.sources.map { source in
      let image = try source.channels()[0]
      let fault = IntensityStatistics(image).fault(source.url.path)
      if let fault { throw fault }
      return flipYVoxels.contains(.images) ? image.withRowsOnlyReversed() : image
    }
    for (url, image) in zip(scan.images, images).dropFirst() {
      let fault = mismatch(modality: url, image.geometry, first: scan.reference, images[0].geometry)
      if let fault { throw fault }
    }
    var labels = try LabelMap(contentsOf: file)
    if flipYVoxels.contains(.labels) { labels = labels.withRowsOnlyReversed() }
    // Masks drawn on a conversion of the series follow the conversion's row order.
    if headerFrom == nil, scan.sources[0].isSeries { labels = labels.reordered(onto: images[0].geometry) ?? labels }
    if headerFrom == nil || labels.geometry.size != images[0].geometry.size {
      let fault = mismatch(mask: file, labels.geometry, image: scan.reference, images[0].geometry)
      if let fault { throw fault }
    }
    let geometry = headerFrom == .labels ? labels.geometry : images[0].geometry
    images = images.map { Image(voxels: $0.voxels, geometry: geometry, noData: $0.noData) }
    labels = LabelMap(voxels: labels.voxels, geometry: geometry)
    if headerFrom != nil { try requireRowsInOrder(labels, images[0], file: file.path) }
    return (images, labels)
  }

  /// The range from the first to the last slice with a label that the recipe keeps, plus the margin.
  private func labelledSlices(of labels: LabelMap, _ scan: Case) throws -> Range<Int> {
    let count = labels.geometry.sliceCount
    let labelled = (0..<labels.geometry.size.z).filter { z in
      labels.voxels[z * count..<(z + 1) * count].contains { $0 != 0 }
    }
    guard let first = labelled.first, let last = labelled.last else {
      throw Refusal(
        .input, scan.mask?.path ?? scan.name, "holds no label that the recipe keeps, so there are no slices to crop to",
        remedy: "leave the case out, or prepare without \(Setting.training)")
    }
    let margin = cropMargin ?? 0
    return max(0, first - margin)..<min(labels.geometry.size.z, last + margin + 1)
  }

  private func clip(_ image: inout Image, name: String) throws {
    guard let window else { return }
    let (low, high) = (Float(window[0]), Float(window[1]))
    image.voxels = image.voxels.map { min(max($0, low), high) }
    if let range = IntensityStatistics(image).range, range.lowerBound == range.upperBound {
      throw Refusal(
        .input, name,
        "every voxel is \(short(Double(range.lowerBound))) after clipping to \(short(window[0]))…\(short(window[1]))",
        remedy: "give the recipe a window that holds the image's intensities (CT in HU?)")
    }
  }
}

extension Volume {
  /// Reverses the rows under an unchanged header.
  fileprivate func withRowsOnlyReversed() -> Volume {
    let reversed = withRowsReversed()
    return Volume(voxels: reversed.voxels, geometry: geometry, noData: reversed.noData)
  }
}
