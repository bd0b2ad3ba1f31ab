#pragma once

/// Features of this processor, known on x86-64 only.
namespace processor {

#if defined(__x86_64__)

inline bool has_avx2() { return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"); }

inline bool has_avx512() {
  return __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl") &&
         __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("fma");
}

/// Tell whether the processor multiplies pairs of bfloat16, on vectors and on tiles.
inline bool has_bfloat16_vectors() { return __builtin_cpu_supports("avx512bf16") && __builtin_cpu_supports("avx512vl"); }
inline bool has_bfloat16_tiles() { return __builtin_cpu_supports("amx-bf16"); }

/// Tells whether LibTorch convolves bfloat16 on vectors. It needs AVX-512, with or without bfloat16 instructions.
inline bool library_has_bfloat16() { return has_avx512(); }

#else

inline bool library_has_bfloat16() { return true; }  // Unknown, so LibTorch decides.
inline bool has_bfloat16_vectors() { return false; }
inline bool has_bfloat16_tiles() { return false; }

#endif

}  // namespace processor
