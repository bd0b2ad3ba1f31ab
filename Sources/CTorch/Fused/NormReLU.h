#pragma once

#include <ATen/ATen.h>

/// Sums over N, H and W of x [N, C, H, W], channels-last.
at::Tensor channel_sums(const at::Tensor &x);

/// How NormReLU normalizes x [N, C, H, W]; what is not defined is absent.
struct Norm {
  at::Tensor weight, bias;         // [C]
  at::Tensor map;                  // [N, 2 C, H, W]: the γ of each channel, then the β, instead of weight and bias
  at::Tensor running_mean, running_variance;  // [C]; measured ones are mixed in if `training`, otherwise used
  bool training;
  double momentum, epsilon;
  at::Tensor batches = {};  // counts the batches measured, int64
};

/// max(0, norm(x)), and what its gradient needs besides x, map and weight. All [C] are float, of double tensors double.
struct NormReLU {
  at::Tensor mean, deviation;  // [C]: 1 / √(variance + ε)
  at::Tensor scale, shift;     // [C]: norm(x) = scale x + shift, before γ and β where there is a map

  /// Measures x [N, C, H, W], channels-last, or takes the running statistics.
  NormReLU(const at::Tensor &x, const Norm &norm);
  /// As it was.
  NormReLU(at::Tensor mean, at::Tensor deviation, at::Tensor scale, at::Tensor shift)
      : mean(mean), deviation(deviation), scale(scale), shift(shift) {}

  /// max(0, norm(x)); may be called again for the same bits.
  at::Tensor output(const at::Tensor &x, const at::Tensor &map) const;

  struct Gradients {
    at::Tensor x, weight, bias, map;
  };
  /// - dy: of `output`. `training`: whether the statistics depend on x.
  Gradients gradients(const at::Tensor &x, const at::Tensor &map, const at::Tensor &dy, bool training) const;
};
