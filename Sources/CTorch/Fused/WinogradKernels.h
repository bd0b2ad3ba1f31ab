#pragma once

#include "Kernels.h"

/// One image, channels innermost; its values may be those of a norm and ReLU of it, made as they are read.
template <typename T>
struct WinogradImage {
  const T *values;
  int64_t height, width, channels;
  int64_t stride = channels;                       // from pixel to pixel, where some of all channels are meant
  const float *scale = nullptr, *shift = nullptr;  // [channels]: max(0, scale x + shift)
  const T *map = nullptr;                          // [height, width, 2 channels]: γ and β as in region_relu

  int64_t tiles_across() const { return (width + 3) / 4; }
  int64_t tiles() const { return (height + 3) / 4 * tiles_across(); }
};

/// 36 matrices, one for each point that Winograd's polynomials are evaluated at; [36, rows, columns] with space between.
struct WinogradPoints {
  float *values;
  int64_t columns, spacing;  // floats from row to row, and from point to point

  static constexpr int64_t count = 36;
  float *at(int64_t point, int64_t row) const { return values + point * spacing + row * columns; }
};

/// The taps of a 3×3 weight, wherever they lie.
struct WinogradTaps {
  const float *values;
  int64_t inputs, outputs;
  int64_t row, column, input, output;  // floats from one to the next
};

/// The loops of WinogradKernels.inc, where they are explained.
template <typename T>
struct WinogradKernels {
  int64_t lanes;  // floats in a vector
  int64_t sums;   // vectors of sums that `product` makes at once
  void (*input)(const WinogradImage<T> &image, int64_t tile, float *points, int64_t spacing);
  void (*outer)(const WinogradImage<T> &image, int64_t tile, float *points, int64_t spacing);
  void (*output)(const float *points, int64_t spacing, const float *bias, const T *residual,
                 const WinogradImage<T> &shape, int64_t tile, T *y);
  void (*weight)(const WinogradTaps &taps, int64_t begin, int64_t end, int64_t block, float *points);
  void (*taps)(const float *points, int64_t spacing, int64_t count, float *taps);
  void (*product)(int64_t vectors, const float *left, int64_t left_row, int64_t left_step, const float *right,
                  int64_t right_step, int64_t steps, float *sums, int64_t sums_row, bool add);
};

/// Those of the widest vectors that this processor has and both numbers of channels are multiples of; null without any.
template <typename T>
const WinogradKernels<T> *winograd_kernels(int64_t inputs, int64_t outputs);
