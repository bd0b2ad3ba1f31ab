import Torch

/// A batch of slices or windows of one size, on the network's device.
struct NetworkInput {
  /// [rows, channels, H, W], or [rows, channels, D, H, W] of volumes; channels-last.
  let images: Tensor
  /// int64 [rows, H, W] or [rows, D, H, W]; nil where a row has no labels.
  let labels: Tensor?

  /// Makes tensors of values in row-major order.
  ///
  /// - Parameters:
  ///   - images: channels × voxels of each row, one row after the other.
  ///   - labels: voxels of each row likewise; nil where a row has none.
  ///   - sizes: [H, W] or [D, H, W].
  init(images: [Float], labels: [UInt8]?, sizes: [Int], channels: Int, on device: Device) {
    let rows = images.count / sizes.reduce(channels, *)
    self.images = Tensor(images, shape: [rows, channels] + sizes).moved(to: device).channelsLast()
    self.labels = labels.map { Tensor($0, shape: [rows] + sizes).moved(to: device).converted(to: .int64) }
  }

  private init(images: Tensor, labels: Tensor?) { (self.images, self.labels) = (images, labels) }

  /// The mirror image along some axes, counted from the last as 1.
  func mirrored(_ axesFromLast: [Int]) -> NetworkInput {
    NetworkInput(images: images.flipped(axesFromLast), labels: labels?.flipped(axesFromLast))
  }

  /// Reads windows; their slices or the windows themselves are the rows, as `sizes` says.
  init(
    _ windows: [(volume: PreparedVolume, window: Window)], sizes: [Int], on device: Device,
    intensities: (PreparedVolume, Window) -> [Float]
  ) {
    let labels = windows.compactMap { $0.volume.labels(in: $0.window) }
    let images = windows.flatMap { intensities($0.volume, $0.window) }
    let voxels = windows.reduce(0) { $0 + $1.window.extent.sizes.reduce(1, *) }
    self.init(
      images: images, labels: labels.count == windows.count ? labels.flatMap { $0 } : nil, sizes: sizes,
      channels: images.count / voxels, on: device)
  }
}
