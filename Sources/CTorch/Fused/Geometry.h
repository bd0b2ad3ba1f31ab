#pragma once

#include <ATen/ATen.h>
#include <c10/core/GradMode.h>
#include "NormReLU.h"

/// What is convolved, channels-last: one tensor, two with their channels joined, or max(0, norm(x)). Joined or rectified
/// values are only stored where a convolution has to read them from memory.
struct ConvolutionInput {
  at::Tensor a, b;
  const NormReLU *norm = nullptr;  // of a
  at::Tensor map = {};             // of the norm

  int64_t channels() const { return a.size(1) + (b.defined() ? b.size(1) : 0); }
  at::Tensor stored() const;
};

/// A convolution of stride 1 that keeps the size, or a transposed one that doubles it.
struct Geometry {
  bool doubling;
  int64_t padding;
  /// Whether products may be of rounded factors; see winograd::convolve.
  bool rounds = !c10::GradMode::is_enabled();

  /// conv(input) + bias, + residual if it is defined. The library's convolution rounds weight and bias to the input's type.
  at::Tensor convolve(const ConvolutionInput &input, const at::Tensor &weight, const at::Tensor &bias,
                      const at::Tensor &residual = {}) const;

  struct Gradients {
    at::Tensor a, b;  // of the rectified values where there is a norm
    at::Tensor weight, bias;
  };
  /// By input, weight and bias, those that are wanted; dy channels-last.
  Gradients gradients(const at::Tensor &dy, const ConvolutionInput &input, const at::Tensor &weight,
                      std::array<bool, 3> wanted) const;

 private:
  bool is_3x3(const at::Tensor &weight) const;
  std::vector<int64_t> stride() const { return std::vector<int64_t>(2, doubling ? 2 : 1); }
  std::vector<int64_t> paddings() const { return std::vector<int64_t>(2, padding); }
  std::vector<int64_t> output_padding() const { return std::vector<int64_t>(2, doubling ? 1 : 0); }
};
