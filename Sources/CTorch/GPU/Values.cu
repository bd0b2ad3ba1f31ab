// Reads, writes and loops of the kernels of Norm.cu and Pool.cu.
//
// x is `pixels` × `channels` with the channels innermost. The channels are a multiple of VALUES.

struct alignas(sizeof(STORED) * VALUES) Pack {
  STORED values[VALUES];
};

struct Values {
  REAL of[VALUES];
};

#define FOR_VALUES _Pragma("unroll") for (int i = 0; i < VALUES; i++)

DEVICE Values load(const STORED *from) {
  Pack pack = *reinterpret_cast<const Pack *>(from);
  Values result;
  FOR_VALUES result.of[i] = real(pack.values[i]);
  return result;
}

DEVICE void store(const Values &values, STORED *to) {
  Pack pack;
  FOR_VALUES set(pack.values[i], values.of[i]);
  *reinterpret_cast<Pack *>(to) = pack;
}

/// Loads one value per channel, 0 from null.
DEVICE Values channel_values(const REAL *from) {
  Values result;
  FOR_VALUES result.of[i] = from ? from[i] : 0;
  return result;
}

/// A thread's place: neighbouring threads take neighbouring channels, and rows of threads take pixels of their own.
struct Place {
  int channel;  // the first of VALUES channels
  int lanes, row, rows;
  bool active;
};

DEVICE Place place(int channels) {
  int lanes = channels / VALUES < threads ? channels / VALUES : threads;
  int row = threadIdx.x / lanes, channel = (blockIdx.y * lanes + threadIdx.x % lanes) * VALUES;
  return {channel, lanes, row, threads / lanes, row < threads / lanes && channel < channels};
}

/// Loops over the pixels p of this thread.
#define FOR_PIXELS(place, pixels)                                  \
  Part part = part_of_block(pixels, blockIdx.x, gridDim.x);        \
  if (place.active)                                                \
    for (int64 p = part.first + place.row; p < part.end; p += place.rows)
