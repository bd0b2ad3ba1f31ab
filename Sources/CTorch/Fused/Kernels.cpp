#include "Kernels.h"

#include <cstring>
#include "Processor.h"

#if defined(__x86_64__)
namespace avx512 {
#pragma clang attribute push(__attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,fma,bmi2"))), apply_to = function)
#include "Kernels.inc"
#pragma clang attribute pop
}  // namespace avx512

namespace avx2 {
#pragma clang attribute push(__attribute__((target("avx2,fma,bmi2"))), apply_to = function)
#include "Kernels.inc"
#pragma clang attribute pop
}  // namespace avx2
#endif

namespace baseline {
#include "Kernels.inc"
}

template <typename T>
const Kernels<T> &kernels(int64_t channels) {
#if defined(__x86_64__)
  static const bool has_avx512 = processor::has_avx512(), has_avx2 = processor::has_avx2();
  // Fewer channels than a vector holds would fall to the loop's remainder.
  if (has_avx512 && channels >= 16) return avx512::table<T>;
  if (has_avx2) return avx2::table<T>;
#endif
  return baseline::table<T>;
}

template const Kernels<float> &kernels<float>(int64_t);
template const Kernels<double> &kernels<double>(int64_t);
template const Kernels<BFloat16> &kernels<BFloat16>(int64_t);
