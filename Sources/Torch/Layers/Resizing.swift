import CTorch

extension Tensor {
  /// [N, C, h, w] -> [N, C, height, width], bilinear with aligned corners.
  public func resizedBilinear(height: Int, width: Int) -> Tensor { Tensor(ct_resize_bilinear(handle, height, width)) }

  /// [N, C, h, w] -> [N, C, height, width], nearest neighbour (PyTorch's `nearest`).
  public func resizedNearest(height: Int, width: Int) -> Tensor { Tensor(ct_resize_nearest(handle, height, width)) }
}
