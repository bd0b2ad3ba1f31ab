import CTorch

extension Tensor {
  /// Resizes each channel linearly along each axis, with aligned corners: bilinear for slices, trilinear for volumes.
  ///
  /// - Parameter other: a tensor with the sizes of the result: [.., .., H, W] or [.., .., D, H, W].
  public func resizedLinearly(like other: Tensor) -> Tensor {
    let size = other.spatialShape
    return Tensor(
      size.count == 3 ? ct_resize_trilinear(handle, size) : ct_resize_bilinear(handle, size[0], size[1]),
      .resizeLinearly, self, other)
  }

  /// Resizes each channel by nearest neighbour (PyTorch's `nearest`). See `resizedLinearly`.
  public func resizedNearest(like other: Tensor) -> Tensor {
    let size = other.spatialShape
    return Tensor(
      size.count == 3 ? ct_resize_nearest3d(handle, size) : ct_resize_nearest(handle, size[0], size[1]),
      .resizeNearest, self, other)
  }

  /// Sizes of all axes but those of the batch and the channels: [H, W], or [D, H, W].
  public var spatialShape: [Int] { Array(shape.dropFirst(2)) }

  /// The planes of volumes below each other: [N, C, D, H, W] -> [N, C, D · H, W]; slices stay.
  ///
  /// Operations on single voxels thus take volumes too. Channels-last tensors are not copied.
  public var planesJoined: Tensor {
    guard rank == 5 else { return self }
    return reshaped(size(0), size(1), size(2) * size(3), size(4))
  }
}
