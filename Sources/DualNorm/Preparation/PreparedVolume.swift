import Basics
import Datasets
import Foundation
package import MedicalImaging

/// A case on the network's grid, and the way back to its files' grid. The network sees it in windows (`Sampling`).
package struct PreparedVolume: Sendable {
  /// Whitened intensities, modalities × D × H × W; H is the image's y axis, W its x axis, D its z axis.
  package var channels: [Float] { intensities.all }
  /// Classes, D × H × W; nil where there is no mask.
  package var labels: [UInt8]? { classes?.all }
  package let modalityCount: Int
  package let depth: Int
  package let height: Int
  package let width: Int
  /// Geometry of the volume, and the way back to the files' grid.
  package let grid: PreparedGrid
  /// Percentiles of each image as read; empty if not measured.
  let percentiles: [IntensityPercentiles]

  /// The value beyond the volume; nil repeats its edge.
  private let padding: Float?
  private var intensities: StoredValues<Float>
  private var classes: StoredValues<UInt8>?

  /// Prepares a case that has been read.
  ///
  /// - Parameters:
  ///   - images: one per modality or colour, all of one geometry.
  ///   - labels: classes, not file values, on the images' grid.
  ///   - names: the images' files, for messages; one per image.
  ///   - storedGeometry: geometry of the files, if the images were turned.
  ///   - constant: indices of constant images, which become 0: colours that a picture does not use.
  ///   - measuresPercentiles: whether to measure intensities for a later comparison with training.
  /// - Throws: `Refusal` for an image that cannot be whitened or whose slices the network cannot take.
  package init(
    images: consuming [Image], labels: ClassMap?, plan: PreparationPlan, names: [String],
    storedGeometry: Geometry? = nil, constant: Set<Int> = [], measuresPercentiles: Bool = true
  ) throws {
    precondition(!images.isEmpty && images.count == names.count, "one name an image")
    padding = plan.nnUNet == nil ? nil : 0
    percentiles = !measuresPercentiles ? [] : images.map { IntensityPercentiles(of: $0) }
    modalityCount = images.count
    if let nnUNet = plan.nnUNet {
      let made = try nnUNet.prepared(consume images, labels, plan, names: names, storedGeometry: storedGeometry)
      (intensities, classes) = (StoredValues(made.channels), made.classes.map { StoredValues($0) })
      grid = made.grid
      let size = made.grid.resampledGeometry.size
      (depth, height, width) = (size.z, size.y, size.x)
      return
    }
    let geometry = images[0].geometry
    let size = try plan.checkedSize(of: geometry, name: names[0])
    let voxels = plan.resampledVoxels(geometry)
    let isResampled = voxels != geometry.size
    let resampledGeometry = isResampled ? geometry.sized(voxels) : geometry
    var channels: [Float] = []
    for (index, name) in names.enumerated() {
      let image = images.removeFirst()  // whitened in place, unless the caller keeps it
      let whitened =
        try constant.contains(index)
        ? Image(repeating: 0, geometry: geometry) : plan.whitened(consume image, name: name)
      let resampled =
        !isResampled ? whitened : whitened.resampled(onto: resampledGeometry, interpolation: .linear)
      if index == 0 { channels = resampled.voxels } else { channels += resampled.voxels }  // one modality is not copied
    }
    intensities = StoredValues(channels)
    classes = labels.map { labels in
      let aligned = ClassMap(voxels: labels.voxels, geometry: geometry)  // equal up to rounding
      let resampled = !isResampled ? aligned : aligned.resampled(onto: resampledGeometry)
      return StoredValues(resampled.voxels)
    }
    grid = PreparedGrid(
      geometry: geometry, storedGeometry: storedGeometry ?? geometry, resampledGeometry: resampledGeometry)
    depth = resampledGeometry.size.z
    height = size.height
    width = size.width
  }

  /// Geometry in the network's orientation, before resampling.
  package var geometry: Geometry { grid.geometry }

  /// The slice of the network's grid at the middle of a slice of `geometry`.
  func networkSlice(of z: Int) -> Int {
    let place = nearest(z - (grid.crop?.first.z ?? 0), of: geometry.size.z)
    return (2 * place + 1) * depth / (2 * geometry.size.z)
  }

  /// Pixels of a slice.
  package var size: ImageSize { ImageSize(height: height, width: width) }

  /// The intensities of some slices in a window's rows and columns: modalities × slices × H × W.
  ///
  /// - Parameter slices: beyond the volume, `padding` or its first and last slice.
  package func input(slices: Range<Int>, in window: Window) -> [Float] {
    var input: [Float] = []
    input.reserveCapacity(modalityCount * slices.count * window.rows.count * window.columns.count)
    for modality in 0..<modalityCount {
      for slice in slices {
        if let padding, !(0..<depth).contains(slice) {
          input.append(contentsOf: repeatElement(padding, count: window.rows.count * window.columns.count))
          continue
        }
        let plane = (modality * depth + nearest(slice, of: depth)) * height * width
        window.append(planeOf: size, padding: padding, to: &input) {
          intensities.append($0.shifted(by: plane), to: &$1)
        }
      }
    }
    return input
  }

  /// Offsets at which the slices of an input begin.
  private func inputPlanes(_ slices: Range<Int>) -> [Int] {
    (0..<modalityCount).flatMap { modality in
      slices.map { (modality * depth + nearest($0, of: depth)) * height * width }
    }
  }

  /// The classes in a window, background beyond the volume; nil where there is no mask.
  package func labels(in window: Window) -> [UInt8]? {
    classes.map { classes in
      var labels: [UInt8] = []
      for z in window.slices {
        guard (0..<depth).contains(z) else {
          labels += repeatElement(0, count: window.rows.count * window.columns.count)
          continue
        }
        window.append(planeOf: size, padding: 0, to: &labels) {
          classes.append($0.shifted(by: z * height * width), to: &$1)
        }
      }
      return labels
    }
  }

  /// The classes of slice `z`, H × W; nil where there is no mask.
  func labels(slice z: Int) -> [UInt8]? {
    labels(in: Window(slices: z..<z + 1, rows: 0..<height, columns: 0..<width))
  }

  /// A random foreground pixel of a slice: each class of the slice is equally likely, then each of its pixels.
  ///
  /// - Returns: nil for a slice of background.
  /// - Throws: `Refusal` if the labels are in a file that cannot be read.
  func foregroundPixel(slice z: Int, using generator: inout SeededGenerator) throws -> (row: Int, column: Int)? {
    var labels: [UInt8] = []
    try classes?.read(z * height * width..<(z + 1) * height * width, to: &labels)
    let found = Set(labels).subtracting([0]).sorted()
    guard !found.isEmpty else { return nil }
    let label = found[generator.integer(below: found.count)]
    let places = labels.indices.filter { labels[$0] == label }
    let (row, column) = places[generator.integer(below: places.count)].quotientAndRemainder(dividingBy: width)
    return (row, column)
  }

  /// The training example in a window; the volume must have labels.
  ///
  /// - Parameters:
  ///   - slices: of the input; the window has the slices of the labels, background beyond the volume.
  ///   - extent: of the example.
  /// - Throws: `Refusal` if the values are in a file that cannot be read.
  func trainingExample(_ window: Window, input slices: Range<Int>, _ extent: Extent) throws -> TrainingExample {
    guard let classes else { preconditionFailure("a training volume has labels") }
    let plane = window.rows.count * window.columns.count
    var (image, labels): ([Float], [UInt8]) = ([], [])
    image.reserveCapacity(modalityCount * slices.count * plane)
    for plane in inputPlanes(slices) {
      try window.append(planeOf: size, padding: nil, to: &image) {
        try intensities.read($0.shifted(by: plane), to: &$1)
      }
    }
    for z in window.slices {
      guard (0..<depth).contains(z) else {
        labels += repeatElement(0, count: plane)
        continue
      }
      try window.append(planeOf: size, padding: 0, to: &labels) {
        try classes.read($0.shifted(by: z * height * width), to: &$1)
      }
    }
    return TrainingExample(
      image: image, labels: labels, channels: image.count / extent.sizes.reduce(1, *), extent: extent,
      sliceDistance: grid.resampledGeometry.sliceDistance)
  }

  /// A hash of the intensities and classes that the network learns from, the same in every run.
  ///
  /// - Parameter size: the size to which slices are padded for it.
  func digest(paddedTo size: ImageSize) -> String {
    let window = Window(
      slices: 0..<depth, rows: centred(size.height, in: height), columns: centred(size.width, in: width))
    var values: [Float] = []
    for plane in 0..<modalityCount * depth {
      window.append(planeOf: self.size, padding: nil, to: &values) {
        intensities.append($0.shifted(by: plane * height * width), to: &$1)
      }
    }
    let labels = labels(in: window).map { StoredValues($0).digest }
    let sides = [depth, size.height, size.width].map(UInt64.init)
    return String(StoredValues(sides + [StoredValues(values).digest, labels ?? 0]).digest, radix: 16)
  }

  /// Size of the values in bytes.
  var bytes: Int { intensities.bytes + (classes?.bytes ?? 0) }

  /// The same volume with its values in files in `folder`, read on demand and gone after their last use.
  ///
  /// - Throws: `Refusal` if the folder cannot take them.
  func inFiles(in folder: URL) throws -> PreparedVolume {
    var result = self
    result.intensities = try intensities.inFile(in: folder)
    result.classes = try classes?.inFile(in: folder)
    return result
  }
}

extension Range<Int> {
  fileprivate func shifted(by offset: Int) -> Range { lowerBound + offset..<upperBound + offset }
}

extension Geometry {
  /// Distance of slices over the mean of the pixels' in a slice.
  fileprivate var sliceDistance: Double { 2 * spacingMM.z / (spacingMM.x + spacingMM.y) }
}
