// What the kernels share. NVRTC compiles this and one other file together, with STORED, how tensors are stored: float,
// double or BFloat16; REAL, what is calculated with: double for double, float for all else; VALUES, how many of them a
// thread reads at once; and THREADS. Emulation.cpp compiles the same for tests on a machine without a GPU.

constexpr int threads = THREADS;  // of a block, in all kernels

using int64 = long long;

struct BFloat16 {
  unsigned short bits;  // the upper half of a float's
};

DEVICE float real(float value) { return value; }
DEVICE double real(double value) { return value; }
DEVICE float real(BFloat16 value) { return float_of_bits(static_cast<unsigned>(value.bits) << 16); }

DEVICE void set(float &stored, float value) { stored = value; }
DEVICE void set(double &stored, double value) { stored = value; }
/// To the nearest, ties to even; a NaN stays one.
DEVICE void set(BFloat16 &stored, float value) {
  unsigned bits = bits_of_float(value);
  stored.bits = (bits & 0x7fffffff) > 0x7f800000 ? 0x7fc0 : (bits + 0x7fff + ((bits >> 16) & 1)) >> 16;
}

/// The part of `count` things that the block of this x works on.
struct Part {
  int64 first, end;
};

DEVICE Part part_of_block(int64 count, int block, int blocks) {
  int64 size = (count + blocks - 1) / blocks, first = block * size;
  return {first < count ? first : count, first + size < count ? first + size : count};
}
