#pragma once

/// Features of this processor, known on x86-64 only.
namespace processor {

#if defined(__x86_64__)

inline bool has_avx2() { return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"); }

inline bool has_avx512() {
  return __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl") &&
         __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("fma");
}

/// Tell whether the processor multiplies pairs of bfloat16 faster than floats, on vectors and on tiles.
///
/// Intel's vectors multiply half as many pairs a cycle as floats, so they gain nothing.
inline bool has_bfloat16_vectors() {
  return __builtin_cpu_supports("avx512bf16") && __builtin_cpu_supports("avx512vl") && !__builtin_cpu_is("intel");
}
inline bool has_bfloat16_tiles() { return __builtin_cpu_supports("amx-bf16"); }

/// Tells whether LibTorch convolves bfloat16 faster than floats. Without AVX-512 it multiplies number by number.
inline bool library_has_bfloat16() { return has_avx512() && (!__builtin_cpu_is("intel") || has_bfloat16_tiles()); }

#else

inline bool library_has_bfloat16() { return true; }  // Unknown, so LibTorch decides.
inline bool has_bfloat16_vectors() { return false; }
inline bool has_bfloat16_tiles() { return false; }

#endif

}  // namespace processor
