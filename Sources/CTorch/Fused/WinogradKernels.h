#pragma once

#include <algorithm>
#include <type_traits>
#include "Kernels.h"

/// One image, channels innermost. With `scale`, reads apply a norm and ReLU.
template <typename T>
struct WinogradImage {
  const T *values;
  int64_t height, width, channels;
  int64_t stride = channels;                       // from pixel to pixel, larger for a part of the channels
  const float *scale = nullptr, *shift = nullptr;  // [channels]: max(0, scale x + shift)
  const T *map = nullptr;                          // [height, width, 2 channels]: γ and β as in region_relu

  int64_t tiles_across() const { return (width + 3) / 4; }
  int64_t tiles() const { return (height + 3) / 4 * tiles_across(); }
};

/// Two bfloat16 of neighbouring channels, which the processor multiplies with two others at once.
enum class BFloat16Pair : uint32_t {};

/// Matrices of the 36 points of Winograd's polynomials, [36, rows, columns] with space between.
///
/// E is float, or a pair of rounded floats.
template <typename E>
struct WinogradPoints {
  E *values;
  int64_t columns, spacing;  // elements from row to row, and from point to point

  E *at(int64_t point, int64_t row) const { return values + point * spacing + row * columns; }
  /// Sets the rows from `begin` to `end` to 0.
  void clear(int64_t begin, int64_t end) const;
};

constexpr int64_t winograd_points = 36;

template <typename E>
void WinogradPoints<E>::clear(int64_t begin, int64_t end) const {
  for (int64_t point = 0; point < winograd_points; point++) std::fill(at(point, begin), at(point, end), E{});
}

/// The number of neighbouring inputs in a factor.
template <typename E>
constexpr int64_t inputs_of = std::is_same_v<E, float> ? 1 : 2;

/// The taps of a 3×3 weight. Its inputs or its outputs are neighbours in memory.
struct WinogradTaps {
  const float *values;
  int64_t inputs, outputs;
  int64_t row, column, input, output;  // floats from one to the next
};

/// The factors of Σ left[run, row, step] right[run, step] over runs of steps.
template <typename E>
struct WinogradProduct {
  const E *left;
  int64_t left_row, left_step;  // elements from one to the next
  const E *right;
  int64_t right_step, steps;
  int64_t runs = 1, left_run = 0, right_run = 0;
};

/// Loops that compute factors of type E and multiply them.
template <typename T, typename E>
struct WinogradFactors {
  void (*input)(const WinogradImage<T> &image, int64_t tile, E *points, int64_t spacing);
  void (*weight)(const WinogradTaps &taps, int64_t begin, int64_t end, int64_t block, E *points);
  void (*product)(int64_t vectors, const WinogradProduct<E> &factors, float *sums, int64_t sums_row, bool add);
};

/// The loops that WinogradKernels.inc documents.
template <typename T>
struct WinogradKernels {
  int64_t lanes;  // floats in a vector
  int64_t sums;   // vectors of sums per `product`
  WinogradFactors<T, float> floats;
  WinogradFactors<T, BFloat16Pair> pairs;  // null where the processor does not multiply them
  void (*outer)(const WinogradImage<T> &image, int64_t tile, float *points, int64_t spacing);
  void (*output)(const float *points, int64_t spacing, const float *bias, const T *residual,
                 const WinogradImage<T> &shape, int64_t tile, T *y);
  void (*taps)(const float *points, int64_t spacing, int64_t count, float *taps);

  template <typename E>
  const WinogradFactors<T, E> &factors() const {
    if constexpr (std::is_same_v<E, float>) {
      return floats;
    } else {
      return pairs;
    }
  }
};

/// Returns the loops of the widest vectors that divide both numbers of channels; null without any.
template <typename T>
const WinogradKernels<T> *winograd_kernels(int64_t inputs, int64_t outputs);
