#pragma once

/// What this processor can do; on other architectures than x86-64 nothing of it.
namespace processor {

#if defined(__x86_64__)

inline bool has_avx2() { return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"); }

inline bool has_avx512() {
  return __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl") &&
         __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("fma");
}

/// Products of pairs of bfloat16, on vectors and on tiles.
inline bool has_bfloat16_vectors() { return __builtin_cpu_supports("avx512bf16") && __builtin_cpu_supports("avx512vl"); }
inline bool has_bfloat16_tiles() { return __builtin_cpu_supports("amx-bf16"); }

/// Whether LibTorch's convolutions of bfloat16 run on vectors; that takes AVX-512, with or without instructions for them.
inline bool library_has_bfloat16() { return has_avx512(); }

#else

inline bool library_has_bfloat16() { return true; }  // unknown: left to the library
inline bool has_bfloat16_vectors() { return false; }
inline bool has_bfloat16_tiles() { return false; }

#endif

}  // namespace processor
