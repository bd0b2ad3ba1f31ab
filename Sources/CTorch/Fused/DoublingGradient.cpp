#include "DoublingGradient.h"

#include "Processor.h"
#include "Tensors.h"

#if defined(__x86_64__)
#include <ATen/ops/empty.h>
#include <immintrin.h>

// The gradient is a product of matrices whose inner dimension is the pixels. The processor multiplies neighbouring pairs
// of bfloat16, so pixels are packed in pairs. Each of 8 channels of x is multiplied with two vectors of dy's channels.
// With few channels and many pixels oneDNN takes longer (docs/performance.md).

namespace {

constexpr int64_t x_block = 8, dy_block = 32;

struct Shape {
  int64_t inputs, outputs, width;  // x's width
  int64_t pairs = (width + 1) / 2;
};

#pragma clang attribute push(__attribute__((target("avx512f,avx512bw,avx512vl,avx512dq,avx512bf16"))), apply_to = function)

/// Packs pairs of a row's pixels, `first` + 2 m step and the one `step` after it, for m < pairs.
///
/// Pixels beyond the row are 0. The result is [channels / block, pairs, block].
void pack(const uint16_t *row, int64_t width, int64_t channels, int64_t first, int64_t step, int64_t pairs,
          int64_t block, uint32_t *packed) {
  for (int64_t m = 0; m < pairs; m++) {
    int64_t left = first + 2 * m * step, right = left + step;
    bool has_left = left >= 0 && left < width, has_right = right >= 0 && right < width;
    for (int64_t c = 0; c < channels; c += 8) {
      auto load = [&](bool has, int64_t pixel) {
        return has ? _mm256_cvtepu16_epi32(
                         _mm_loadu_si128(reinterpret_cast<const __m128i *>(row + pixel * channels + c)))
                   : _mm256_setzero_si256();
      };
      auto pair = _mm256_or_si256(load(has_left, left), _mm256_slli_epi32(load(has_right, right), 16));
      _mm256_storeu_si256(
          reinterpret_cast<__m256i *>(packed + (c / block * pairs + m) * block + c % block), pair);
    }
  }
}

/// Adds Σ x[pairs][8] · dy[pairs][32] to sums[8][stride]. 16 vectors of sums hide the latency of products.
void multiply(const uint32_t *x, const uint32_t *dy, int64_t pairs, float *sums, int64_t stride) {
  constexpr int vectors = dy_block / 16;
  __m512 sum[x_block][vectors];
#pragma clang loop unroll(full)
  for (int i = 0; i < x_block; i++)
#pragma clang loop unroll(full)
    for (int v = 0; v < vectors; v++) sum[i][v] = _mm512_loadu_ps(sums + i * stride + 16 * v);
  for (int64_t m = 0; m < pairs; m++) {
    __m512bh right[vectors];
#pragma clang loop unroll(full)
    for (int v = 0; v < vectors; v++)
      right[v] = (__m512bh)_mm512_loadu_si512(dy + (m * vectors + v) * 16);
#pragma clang loop unroll(full)
    for (int i = 0; i < x_block; i++) {
      auto left = (__m512bh)_mm512_set1_epi32(x[m * x_block + i]);
#pragma clang loop unroll(full)
      for (int v = 0; v < vectors; v++) sum[i][v] = _mm512_dpbf16_ps(sum[i][v], left, right[v]);
    }
  }
#pragma clang loop unroll(full)
  for (int i = 0; i < x_block; i++)
#pragma clang loop unroll(full)
    for (int v = 0; v < vectors; v++) _mm512_storeu_ps(sums + i * stride + 16 * v, sum[i][v]);
}

#pragma clang attribute pop

/// Adds the products of a row's packed pixels to sums[inputs][outputs].
void add_row(const Shape &s, const uint32_t *x, const uint32_t *dy, float *sums) {
  for (int64_t out = 0; out < s.outputs; out += dy_block)
    for (int64_t in = 0; in < s.inputs; in += x_block)
      multiply(x + in * s.pairs, dy + out * s.pairs, s.pairs, sums + in * s.outputs + out, s.outputs);
}

/// Adds the products of x[p] and dy[2 p + k − 1], for an image's rows from `begin` to `end`, to sums [3, 3, inputs, outputs].
void add_rows(const Shape &s, const uint16_t *x, const uint16_t *dy, int64_t begin, int64_t end, float *sums) {
  int64_t tap = s.inputs * s.outputs;
  std::vector<uint32_t> x_pairs(s.pairs * s.inputs), dy_pairs(s.pairs * s.outputs);
  for (int64_t y = begin; y < end; y++) {
    pack(x + y * s.width * s.inputs, s.width, s.inputs, 0, 1, s.pairs, x_block, x_pairs.data());
    for (int64_t ky = 0; ky < 3; ky++) {
      int64_t row = 2 * y + ky - 1;
      if (row < 0) continue;
      for (int64_t kx = 0; kx < 3; kx++) {
        pack(dy + row * 2 * s.width * s.outputs, 2 * s.width, s.outputs, kx - 1, 2, s.pairs, dy_block,
             dy_pairs.data());
        add_row(s, x_pairs.data(), dy_pairs.data(), sums + (ky * 3 + kx) * tap);
      }
    }
  }
}

/// Tells whether these loops are faster. Measured on an EPYC of 2023: oneDNN wins with more channels or fewer pixels.
bool is_worth_it(const at::Tensor &x, const at::Tensor &dy) {
  static const bool has_products = processor::has_bfloat16_vectors();
  int64_t inputs = x.size(1), outputs = dy.size(1);
  return has_products && x.scalar_type() == at::kBFloat16 && inputs % x_block == 0 && outputs % dy_block == 0 &&
         inputs * outputs <= 1 << 13 && x.size(2) * x.size(3) >= 1 << 14;
}

}  // namespace

std::optional<at::Tensor> doubling_weight_gradient(const at::Tensor &x, const at::Tensor &dy, const at::Tensor &weight) {
  if (weight.size(2) != 3 || weight.size(3) != 3 || !is_worth_it(x, dy)) return std::nullopt;
  int64_t images = x.size(0), height = x.size(2);
  Shape s{x.size(1), dy.size(1), x.size(3)};
  // About 32 tasks of at least 4 rows, for any number of threads. Every task has sums of its own.
  int64_t rows = std::max<int64_t>(4, (images * height + 31) / 32), parts = (height + rows - 1) / rows;
  int64_t size = 9 * s.inputs * s.outputs;
  std::vector<float> sums(images * parts * size);
  auto x_values = static_cast<const uint16_t *>(x.const_data_ptr());
  auto dy_values = static_cast<const uint16_t *>(dy.const_data_ptr());
  run_parallel(images * parts, [&](int64_t task) {
    int64_t image = task / parts, begin = task % parts * rows, end = std::min(height, begin + rows);
    add_rows(s, x_values + image * height * s.width * s.inputs, dy_values + image * 4 * height * s.width * s.outputs,
             begin, end, &sums[task * size]);
  });
  auto result = at::empty({3, 3, s.inputs, s.outputs}, x.options().dtype(at::kFloat));
  auto target = mutable_values<float>(result);
  Tasks(size, images * parts).run([&](int64_t first, int64_t count, int64_t) {
    std::copy_n(&sums[first], count, target + first);
    for (int64_t task = 1; task < images * parts; task++)
      for (int64_t i = first; i < first + count; i++) target[i] += sums[task * size + i];
  });
  return result.permute({2, 3, 0, 1}).contiguous(channels_last);
}

#else

std::optional<at::Tensor> doubling_weight_gradient(const at::Tensor &, const at::Tensor &, const at::Tensor &) {
  return std::nullopt;
}

#endif
