#include "WinogradKernels.h"

#include <cstring>
#include <utility>
#include "Processor.h"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace {

#if defined(__x86_64__)
namespace avx512_bfloat16 {
constexpr int lanes = 16, most_sums = 16;
#define MULTIPLIES_PAIRS 1
#pragma clang attribute push(__attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,avx512bf16,fma,bmi2"))), apply_to = function)
#include "WinogradKernels.inc"
#pragma clang attribute pop
#undef MULTIPLIES_PAIRS
}  // namespace avx512_bfloat16

namespace avx512 {
constexpr int lanes = 16, most_sums = 16;
#pragma clang attribute push(__attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,fma,bmi2"))), apply_to = function)
#include "WinogradKernels.inc"
#pragma clang attribute pop
}  // namespace avx512

namespace avx2 {
constexpr int lanes = 8, most_sums = 8;
#pragma clang attribute push(__attribute__((target("avx2,fma,bmi2"))), apply_to = function)
#include "WinogradKernels.inc"
#pragma clang attribute pop
}  // namespace avx2
#endif

}  // namespace

template <typename T>
const WinogradKernels<T> *winograd_kernels(int64_t inputs, int64_t outputs) {
#if defined(__x86_64__)
  static const bool has_avx512 = processor::has_avx512(), has_avx2 = processor::has_avx2();
  static const bool has_pairs = processor::has_avx512() && processor::has_bfloat16_vectors();
  auto fit = [&](int64_t lanes) { return inputs % lanes == 0 && outputs % lanes == 0; };
  if (has_pairs && fit(avx512_bfloat16::lanes)) return &avx512_bfloat16::table<T>;
  if (has_avx512 && fit(avx512::lanes)) return &avx512::table<T>;
  if (has_avx2 && fit(avx2::lanes)) return &avx2::table<T>;
#endif
  return nullptr;
}

template const WinogradKernels<float> *winograd_kernels<float>(int64_t, int64_t);
template const WinogradKernels<BFloat16> *winograd_kernels<BFloat16>(int64_t, int64_t);
