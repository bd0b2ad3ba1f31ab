import Basics
import Torch

/// The windows in which a network sees volumes, and the intensities in them.
protocol Sampling: Sendable {
  /// Windows that together cover every voxel of a volume, sorted by their first slice.
  func windows(covering volume: PreparedVolume) -> [Window]

  /// The most windows that are segmented as one batch.
  var windowsPerBatch: Int { get }

  /// Tells whether windows overlap along the slices too, and so have weights along them.
  var overlapsSlices: Bool { get }

  /// The window around a slice's middle, for pictures.
  func central(slice z: Int, of volume: PreparedVolume) -> Window

  /// The window around a slice for one training example.
  ///
  /// - Parameter aroundForeground: whether to put a foreground voxel into it; the slice's classes are equally likely.
  /// - Throws: `Refusal` if the labels are in a file that cannot be read.
  func trainingWindow(
    slice z: Int, of volume: PreparedVolume, aroundForeground: Bool, using generator: inout SeededGenerator
  ) throws -> Window

  /// The training example in a window.
  ///
  /// - Throws: `Refusal` if the values are in a file that cannot be read.
  func example(_ window: Window, of volume: PreparedVolume) throws -> TrainingExample

  /// The parts of a window that are rows of a batch, and the most of them that a batch for statistics has.
  func rows(of window: Window) -> [Window]
  var statisticsBatchSize: Int { get }

  /// The network's input for windows of one size.
  func input(_ windows: [(volume: PreparedVolume, window: Window)], on device: Device) -> NetworkInput
}

/// Sampling as a preparation's network needs it.
///
/// - Parameter overlap: see `windowStarts`.
func sampling(_ plan: PreparationPlan, overlap: Double = defaultOverlap) -> any Sampling {
  plan.isOfVolumes ? VolumeSampling(plan, overlap: overlap) : SliceSampling(plan, overlap: overlap)
}

/// Sampling for a 2-D network: one slice after the other, each with its neighbours as further channels.
struct SliceSampling: Sampling {
  private let plan: PreparationPlan
  private let overlap: Double

  /// - Parameter overlap: see `windowStarts`.
  init(_ plan: PreparationPlan, overlap: Double = defaultOverlap) { (self.plan, self.overlap) = (plan, overlap) }

  /// A window has many slices already.
  var windowsPerBatch: Int { 1 }
  var overlapsSlices: Bool { false }
  var statisticsBatchSize: Int { 8 }

  func rows(of window: Window) -> [Window] { window.slicesApart }

  /// A slab of slices is one window, and the slices are the rows of its batch.
  func windows(covering volume: PreparedVolume) -> [Window] {
    let size = plan.windowSize(of: volume.size)
    let rows = windowStarts(volume.height, window: size.height, overlap: overlap).map { $0..<$0 + size.height }
    let columns = windowStarts(volume.width, window: size.width, overlap: overlap).map { $0..<$0 + size.width }
    // Large enough to amortize Winograd's transform of the weights.
    let count = max(1, min(32, (1 << 20) / (size.height * size.width)))
    return stride(from: 0, to: volume.depth, by: count).flatMap { start in
      rows.flatMap { rows in
        columns.map { Window(slices: start..<min(start + count, volume.depth), rows: rows, columns: $0) }
      }
    }
  }

  func central(slice z: Int, of volume: PreparedVolume) -> Window {
    window(slice: z, size: plan.windowSize(of: volume.size), of: volume)
  }

  func trainingWindow(
    slice z: Int, of volume: PreparedVolume, aroundForeground: Bool, using generator: inout SeededGenerator
  ) throws -> Window {
    let size = plan.trainingSize(of: volume.size)
    guard volume.height > size.height || volume.width > size.width else {
      return window(slice: z, size: size, of: volume)
    }
    let place = aroundForeground ? try volume.foregroundPixel(slice: z, using: &generator) : nil
    return Window(
      slices: z..<z + 1, rows: placed(size.height, in: volume.height, around: place?.row, using: &generator),
      columns: placed(size.width, in: volume.width, around: place?.column, using: &generator))
  }

  private func window(slice z: Int, size: ImageSize, of volume: PreparedVolume) -> Window {
    Window(
      slices: z..<z + 1, rows: centred(size.height, in: volume.height), columns: centred(size.width, in: volume.width))
  }

  func example(_ window: Window, of volume: PreparedVolume) throws -> TrainingExample {
    try volume.trainingExample(window, input: neighbours(of: window.slices.lowerBound), Extent(window.size))
  }

  func input(_ windows: [(volume: PreparedVolume, window: Window)], on device: Device) -> NetworkInput {
    NetworkInput(windows, sizes: [windows[0].window.rows.count, windows[0].window.columns.count], on: device) {
      volume, window in window.slices.flatMap { volume.input(slices: neighbours(of: $0), in: window) }
    }
  }

  /// A slice and its neighbours in the input.
  private func neighbours(of z: Int) -> Range<Int> {
    z - plan.contextSlices / 2..<z + plan.contextSlices / 2 + 1
  }
}

/// The range of a window along an axis: around a place, or anywhere in the volume; centred where it is larger.
func placed(
  _ side: Int, in length: Int, around place: Int?, using generator: inout SeededGenerator
) -> Range<Int> {
  let room = length - side
  guard room > 0 else { return centred(side, in: length) }
  let start = place.map { min(max($0 - side / 2, 0), room) } ?? generator.integer(below: room + 1)
  return start..<start + side
}

/// Default overlap of neighbouring windows, as a share of a window.
package let defaultOverlap = 0.5
