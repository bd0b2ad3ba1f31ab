import Basics
import Torch

/// The windows in which a network sees volumes, and the intensities in them.
protocol Sampling: Sendable {
  /// Windows that together cover every voxel of a volume, sorted by their first slice.
  func windows(covering volume: PreparedVolume) -> [Window]

  /// The window around the middle of a slice, for pictures.
  func central(slice z: Int, of volume: PreparedVolume) -> Window

  /// The window of a slice for one training example.
  ///
  /// - Parameter aroundForeground: whether to put a foreground voxel into it; the slice's classes are equally likely.
  /// - Throws: `Refusal` if the labels are in a file that cannot be read.
  func trainingWindow(
    slice z: Int, of volume: PreparedVolume, aroundForeground: Bool, using generator: inout SeededGenerator
  ) throws -> Window

  /// Whitened intensities of a window: channels × height × width of each slice, one slice after the other.
  func intensities(_ window: Window, of volume: PreparedVolume) -> [Float]
}

extension Sampling {
  /// The network's input for windows of one size.
  func input(_ windows: [(volume: PreparedVolume, window: Window)], on device: Device) -> NetworkInput {
    let labels = windows.compactMap { $0.volume.labels(in: $0.window) }
    let slices = windows.reduce(0) { $0 + $1.window.slices.count }
    let images = windows.flatMap { intensities($0.window, of: $0.volume) }
    let size = windows[0].window.size
    return NetworkInput(
      images: images, labels: labels.count == windows.count ? labels.flatMap { $0 } : nil, slices: slices,
      channels: images.count / (slices * size.height * size.width), size: size, on: device)
  }
}

/// Sampling for a 2-D network: one slice after the other, each with its neighbours as further channels.
struct SliceSampling: Sampling {
  private let plan: PreparationPlan
  private let overlap: Double

  /// - Parameter overlap: see `windowStarts`.
  init(_ plan: PreparationPlan, overlap: Double = defaultOverlap) { (self.plan, self.overlap) = (plan, overlap) }

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
    func range(_ length: Int, _ side: Int, _ place: Int?) -> Range<Int> {
      let room = length - side
      guard room > 0 else { return centred(side, in: length) }
      let start = place.map { min(max($0 - side / 2, 0), room) } ?? generator.integer(below: room + 1)
      return start..<start + side
    }
    return Window(
      slices: z..<z + 1, rows: range(volume.height, size.height, place?.row),
      columns: range(volume.width, size.width, place?.column))
  }

  private func window(slice z: Int, size: ImageSize, of volume: PreparedVolume) -> Window {
    Window(
      slices: z..<z + 1, rows: centred(size.height, in: volume.height), columns: centred(size.width, in: volume.width))
  }

  func intensities(_ window: Window, of volume: PreparedVolume) -> [Float] {
    window.slices.flatMap { volume.input(slice: $0, context: plan.contextSlices, in: window) }
  }
}

/// Default overlap of neighbouring windows, as a share of a window.
package let defaultOverlap = 0.5
