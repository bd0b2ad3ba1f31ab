#pragma once

#include <ATen/core/Tensor.h>
#include <c10/core/GradMode.h>
#include "NormReLU.h"

/// The input of a convolution, channels-last: one tensor, two with their channels concatenated, or max(0, norm(x)).
///
/// Concatenated or rectified values are stored only where a convolution must read them from memory.
struct ConvolutionInput {
  at::Tensor a, b;
  const NormReLU *norm = nullptr;  // a's
  at::Tensor map = {};             // the norm's

  int64_t channels() const { return a.size(1) + (b.defined() ? b.size(1) : 0); }
  at::Tensor stored() const;
};

/// A convolution of stride 1, or a transposed one of stride 2 that doubles the size.
///
/// Volumes of D slices come as [N, C, D H, W], with a weight [outputs, inputs, 1 or 3, …]. They keep their size.
struct Geometry {
  bool doubling;
  int64_t padding;    // of images; volumes are padded by half of each side of the kernel
  int64_t depth = 0;  // D; 0 for images
  /// Allows rounded factors; see winograd::convolve.
  bool rounds = !c10::GradMode::is_enabled();

  /// Computes conv(input) + bias, plus the residual if defined. LibTorch rounds weight and bias to the input's type.
  at::Tensor convolve(const ConvolutionInput &input, const at::Tensor &weight, const at::Tensor &bias,
                      const at::Tensor &residual = {}) const;

  struct Gradients {
    at::Tensor a, b;  // by the rectified values where there is a norm
    at::Tensor weight, bias;
  };
  /// Computes the wanted gradients by input, weight and bias; dy is channels-last.
  Gradients gradients(const at::Tensor &dy, const ConvolutionInput &input, const at::Tensor &weight,
                      std::array<bool, 3> wanted) const;

 private:
  bool is_3x3(const at::Tensor &weight) const;
  /// Returns images as they are, and volumes as [N, C, D, H, W].
  at::Tensor unfolded(const at::Tensor &x) const;
  at::Tensor folded(const at::Tensor &x) const;
  std::vector<int64_t> per_axis(int64_t value) const { return std::vector<int64_t>(depth > 0 ? 3 : 2, value); }
  std::vector<int64_t> stride() const { return per_axis(doubling ? 2 : 1); }
  std::vector<int64_t> paddings(const at::Tensor &weight) const;
  std::vector<int64_t> output_padding() const { return per_axis(doubling ? 1 : 0); }
};
