#pragma once

#include <ATen/ATen.h>

/// A convolution of stride 1 that keeps the size, or a transposed one that doubles it.
struct Geometry {
  bool doubling;
  int64_t padding;

  at::Tensor convolve(const at::Tensor &x, const at::Tensor &weight, const at::Tensor &bias) const;

  /// By x, weight and bias, those that are wanted; all tensors channels-last.
  std::tuple<at::Tensor, at::Tensor, at::Tensor> gradients(const at::Tensor &dy, const at::Tensor &x,
                                                           const at::Tensor &weight, std::array<bool, 3> wanted) const;

 private:
  std::vector<int64_t> stride() const { return std::vector<int64_t>(2, doubling ? 2 : 1); }
  std::vector<int64_t> paddings() const { return std::vector<int64_t>(2, padding); }
  std::vector<int64_t> output_padding() const { return std::vector<int64_t>(2, doubling ? 1 : 0); }
};
