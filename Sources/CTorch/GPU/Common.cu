// Shared by the kernels. NVRTC compiles this together with one other file, and with these macros:
// - STORED: a tensor's stored type, float, double or BFloat16;
// - REAL: the type of calculations, double for double, else float;
// - VALUES: how many values a thread reads at once;
// - CLASSES: the number of classes;
// - THREADS: the threads of a block.
// Emulation.cpp compiles the same for tests without a GPU.

constexpr int threads = THREADS;

using int64 = long long;

struct BFloat16 {
  unsigned short bits;  // the upper half of a float's bits
};

DEVICE float real(float value) { return value; }
DEVICE double real(double value) { return value; }
DEVICE float real(BFloat16 value) { return float_of_bits(static_cast<unsigned>(value.bits) << 16); }

DEVICE void set(float &stored, float value) { stored = value; }
DEVICE void set(double &stored, double value) { stored = value; }
/// Rounds to the nearest, ties to even. NaN stays NaN.
DEVICE void set(BFloat16 &stored, float value) {
  unsigned bits = bits_of_float(value);
  stored.bits = (bits & 0x7fffffff) > 0x7f800000 ? 0x7fc0 : (bits + 0x7fff + ((bits >> 16) & 1)) >> 16;
}

/// A block's part of `count` items.
struct Part {
  int64 first, end;
};

DEVICE Part part_of_block(int64 count, int block, int blocks) {
  int64 size = (count + blocks - 1) / blocks, first = block * size;
  return {first < count ? first : count, first + size < count ? first + size : count};
}
