#pragma once

#include <ATen/core/Tensor.h>

/// Sums x [N, C, H, W], channels-last, over N, H and W.
at::Tensor channel_sums(const at::Tensor &x);

/// The norm of NormReLU over x [N, C, H, W]. Undefined tensors are absent.
struct Norm {
  at::Tensor weight, bias;         // [C]
  at::Tensor map;                  // [N, 2 C, H, W], in place of weight and bias: the γ of each channel, then the β
  at::Tensor running_mean, running_variance;  // [C]: updated if `training`, else used
  bool training;
  double momentum, epsilon;
  at::Tensor batches = {};  // int64, the number of training batches
};

/// max(0, norm(x)), with the vectors [C] that its gradient needs. They are double for double tensors, else float.
struct NormReLU {
  at::Tensor mean, deviation;  // [C]: 1 / √(variance + ε)
  at::Tensor scale, shift;     // [C]: norm(x) = scale x + shift, before γ and β where there is a map

  /// Measures x [N, C, H, W], channels-last, in training. Else takes the running statistics.
  NormReLU(const at::Tensor &x, const Norm &norm);
  /// Restores saved vectors.
  NormReLU(at::Tensor mean, at::Tensor deviation, at::Tensor scale, at::Tensor shift)
      : mean(mean), deviation(deviation), scale(scale), shift(shift) {}

  /// Computes max(0, norm(x)), with the same bits every time.
  at::Tensor output(const at::Tensor &x, const at::Tensor &map) const;

  struct Gradients {
    at::Tensor x, weight, bias, map;
  };
  /// Computes gradients from dy, the gradient by `output`. In training the statistics depend on x.
  Gradients gradients(const at::Tensor &x, const at::Tensor &map, const at::Tensor &dy, bool training) const;
};
