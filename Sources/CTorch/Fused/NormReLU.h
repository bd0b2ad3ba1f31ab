#pragma once

#include <ATen/core/Tensor.h>
#include <vector>

/// Sums x [N, C, H, W], channels-last, over N, H and W.
at::Tensor channel_sums(const at::Tensor &x);

/// The values of x [N, C, H, W] that share a mean and a variance: those of a run of rows and a group of channels.
struct Sets {
  std::vector<int64_t> rows = {};  // in each run; empty: all rows are one run
  int64_t channels = 1;            // in each group

  int64_t runs() const { return rows.empty() ? 1 : static_cast<int64_t>(rows.size()); }
  /// Returns the run of a row.
  int64_t run_of(int64_t row) const;
};

/// The norm of NormReLU over x [N, C, H, W]. Undefined tensors are absent.
struct Norm {
  at::Tensor weight, bias;  // [C], or [runs, C]
  /// In place of weight and bias, [N, 2 C, H, W]: the γ of each channel, then the β. Every run may share one, [rows of a
  /// run, 2 C, H, W].
  at::Tensor map;
  at::Tensor running_mean, running_variance;  // [C] or [runs, C]: updated if `training`, else used
  bool training;
  double momentum, epsilon;
  at::Tensor batches = {};  // int64, the number of training batches
  Sets sets = {};
};

/// max(0, norm(x)), with the vectors [runs, C] that its gradient needs. They are double for double tensors, else float.
struct NormReLU {
  at::Tensor mean, deviation;  // 1 / √(variance + ε)
  at::Tensor scale, shift;     // norm(x) = scale x + shift, before γ and β where there is a map
  Sets sets;

  /// Measures x [N, C, H, W], channels-last, in training. Else takes the running statistics.
  NormReLU(const at::Tensor &x, const Norm &norm);
  /// Restores saved vectors.
  NormReLU(at::Tensor mean, at::Tensor deviation, at::Tensor scale, at::Tensor shift, Sets sets)
      : mean(mean), deviation(deviation), scale(scale), shift(shift), sets(sets) {}

  /// Computes max(0, norm(x)), with the same bits every time.
  at::Tensor output(const at::Tensor &x, const at::Tensor &map) const;

  struct Gradients {
    at::Tensor x, weight, bias, map;  // weight and bias are [runs, C]
  };
  /// Computes gradients from dy, the gradient by `output`. In training the statistics depend on x.
  Gradients gradients(const at::Tensor &x, const at::Tensor &map, const at::Tensor &dy, bool training) const;
};
