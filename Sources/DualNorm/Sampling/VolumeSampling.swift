import Basics
import Torch

/// Sampling for a 3-D network: boxes of a volume, which overlap along all three axes.
struct VolumeSampling: Sampling {
  private let extent: (depth: Int, height: Int, width: Int)
  private let overlap: Double

  /// - Parameter overlap: see `windowStarts`.
  init(_ plan: PreparationPlan, overlap: Double = defaultOverlap) {
    guard let size = plan.networkSize, let depth = size.depth else {
      preconditionFailure("a network for volumes has windows of three sides")
    }
    extent = (depth, size.height, size.width)
    self.overlap = overlap
  }

  /// Enough to amortize Winograd's transform of the weights, a third of the time in small windows.
  var windowsPerBatch: Int { max(1, min(4, (1 << 19) / (extent.depth * extent.height * extent.width))) }
  var overlapsSlices: Bool { true }
  var statisticsBatchSize: Int { 2 }

  func rows(of window: Window) -> [Window] { [window] }

  func windows(covering volume: PreparedVolume) -> [Window] {
    func ranges(_ length: Int, _ side: Int) -> [Range<Int>] {
      windowStarts(length, window: side, overlap: overlap).map { $0..<$0 + side }
    }
    let (rows, columns) = (ranges(volume.height, extent.height), ranges(volume.width, extent.width))
    return ranges(volume.depth, extent.depth).flatMap { slices in
      rows.flatMap { rows in columns.map { Window(slices: slices, rows: rows, columns: $0) } }
    }
  }

  func central(slice z: Int, of volume: PreparedVolume) -> Window {
    let room = volume.depth - extent.depth
    let start = min(max(z - extent.depth / 2, 0), max(room, 0))
    return Window(
      slices: room > 0 ? start..<start + extent.depth : centred(extent.depth, in: volume.depth),
      rows: centred(extent.height, in: volume.height), columns: centred(extent.width, in: volume.width))
  }

  func trainingWindow(
    slice z: Int, of volume: PreparedVolume, aroundForeground: Bool, using generator: inout SeededGenerator
  ) throws -> Window {
    let place = aroundForeground ? try volume.foregroundPixel(slice: z, using: &generator) : nil
    return Window(
      slices: placed(extent.depth, in: volume.depth, around: place == nil ? nil : z, using: &generator),
      rows: placed(extent.height, in: volume.height, around: place?.row, using: &generator),
      columns: placed(extent.width, in: volume.width, around: place?.column, using: &generator))
  }

  func example(_ window: Window, of volume: PreparedVolume) throws -> TrainingExample {
    try volume.trainingExample(window, input: window.slices, window.extent)
  }

  func input(_ windows: [(volume: PreparedVolume, window: Window)], on device: Device) -> NetworkInput {
    NetworkInput(windows, sizes: windows[0].window.extent.sizes, on: device) { volume, window in
      volume.input(slices: window.slices, in: window)
    }
  }
}
