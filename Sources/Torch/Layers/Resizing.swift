import CTorch

extension Tensor {
  /// Resizes [N, C, h, w] to [N, C, height, width], bilinear with aligned corners.
  public func resizedBilinear(height: Int, width: Int) -> Tensor { Tensor(ct_resize_bilinear(handle, height, width)) }

  /// Resizes [N, C, h, w] to [N, C, height, width] by nearest neighbour (PyTorch's `nearest`).
  public func resizedNearest(height: Int, width: Int) -> Tensor { Tensor(ct_resize_nearest(handle, height, width)) }
}
