import Torch

/// A batch of slices of one size, on the network's device.
struct NetworkInput {
  /// [slices, channels, H, W], channels-last.
  let images: Tensor
  /// int64 [slices, H, W]; nil where a slice has no labels.
  let labels: Tensor?

  /// Makes tensors of values in row-major order.
  ///
  /// - Parameters:
  ///   - images: channels × H × W of each slice, one slice after the other.
  ///   - labels: H × W of each slice likewise; nil where a slice has none.
  init(images: [Float], labels: [UInt8]?, slices: Int, channels: Int, size: ImageSize, on device: Device) {
    let plane = [size.height, size.width]
    self.images = Tensor(images, shape: [slices, channels] + plane).moved(to: device).channelsLast()
    self.labels = labels.map { Tensor($0, shape: [slices] + plane).moved(to: device).converted(to: .int64) }
  }
}
