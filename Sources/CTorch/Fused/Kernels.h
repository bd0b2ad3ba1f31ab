#pragma once

#include <cstdint>

/// The bits of a bfloat16, the upper half of a float's.
enum class BFloat16 : uint16_t {};

/// The type of calculations with values of type T.
template <typename T>
struct RealOf {
  using Type = float;
};
template <>
struct RealOf<double> {
  using Type = double;
};
template <typename T>
using Real = typename RealOf<T>::Type;

/// Constants of one step of Adam (Kingma & Ba 2015), in PyTorch's order of operations.
struct AdamStep {
  double limit;              // clips gradients to ± this
  double decay;              // learning rate × weight decay
  double beta1, beta2;
  double root_correction2;   // √(1 − β2ᵗ)
  double epsilon;
  double size;               // learning rate / (1 − β1ᵗ)
};

/// The loops that Kernels.inc documents.
template <typename T>
struct Kernels {
  using R = Real<T>;
  void (*moments)(const T *x, int64_t pixels, int64_t channels, R *mean, R *squares);
  void (*sums)(const T *x, int64_t pixels, int64_t channels, R *sum);
  void (*scale_relu)(const T *x, int64_t pixels, int64_t channels, const R *scale, const R *shift, T *y);
  void (*region_relu)(const T *x, const T *map, int64_t pixels, int64_t channels, const R *scale, const R *shift, T *y);
  void (*scale_relu_sums)(const T *x, const T *dy, int64_t pixels, int64_t channels, const R *scale, const R *shift,
                          const R *mean, R *first, R *second);
  void (*scale_relu_input)(const T *x, const T *dy, int64_t pixels, int64_t channels, const R *scale, const R *shift,
                           const R *slope, const R *offset, T *dx);
  void (*region_relu_sums)(const T *x, const T *map, const T *dy, int64_t pixels, int64_t channels, const R *scale,
                           const R *shift, T *dmap, R *first, R *second);
  void (*region_relu_input)(const T *x, const T *map, const T *dy, int64_t pixels, int64_t channels, const R *scale,
                            const R *shift, const R *slope, const R *offset, T *dx);
  void (*pool)(const T *x, int64_t width, int64_t channels, T *y);
  void (*pool_input)(const T *x, const T *dy, int64_t width, int64_t channels, T *dx);
  void (*adam)(const T *gradient, int64_t count, const AdamStep &step, T *parameter, T *first, T *second);
};

/// Returns the loops of the widest vectors that the processor has and `channels` channels fill.
template <typename T>
const Kernels<T> &kernels(int64_t channels);
