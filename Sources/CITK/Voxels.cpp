#include "Gzip.h"

#include <algorithm>
#include <cstring>

namespace {

using Encoding = CITKVoxels;

/// Turns a file's bytes, chunk by chunk, into voxels.
template <typename Stored, typename Voxel>
class Decoder {
 public:
  Decoder(const Encoding &encoding, Voxel *voxels, ptrdiff_t count)
      : encoding(encoding), skip(encoding.skip), next(voxels), end(voxels + count),
        scaled(encoding.slope != 1 || encoding.intercept != 0) {}

  void take(const unsigned char *bytes, size_t count) {
    const auto skipped = std::min(skip, ptrdiff_t(count));
    skip -= skipped;
    bytes += skipped;
    count -= size_t(skipped);
    for (; partial > 0 && partial < sizeof(Stored) && count > 0; --count) rest[partial++] = *bytes++;
    if (partial == sizeof(Stored)) put(rest), partial = 0;
    for (; count >= sizeof(Stored) && next < end; count -= sizeof(Stored), bytes += sizeof(Stored)) put(bytes);
    if (next < end && count > 0) std::memcpy(rest, bytes, partial = count);
  }

  bool is_full() const { return next == end; }

 private:
  void put(const unsigned char *bytes) {
    unsigned char ordered[sizeof(Stored)];
    std::memcpy(ordered, bytes, sizeof(Stored));
    if (encoding.swapped) std::reverse(ordered, ordered + sizeof(Stored));
    Stored value;
    std::memcpy(&value, ordered, sizeof(Stored));
    *next++ = scaled ? Voxel(double(value) * encoding.slope + encoding.intercept) : Voxel(value);
  }

  Encoding encoding;
  ptrdiff_t skip;
  Voxel *next, *end;
  bool scaled;
  unsigned char rest[sizeof(Stored)];
  size_t partial = 0;
};

/// The most bytes after the voxels that are decompressed for the checksum. A longer file is not read to its end.
constexpr size_t largest_rest = 1 << 20;

template <typename Stored, typename Voxel>
void decode(const Encoding &encoding, Voxel *voxels, ptrdiff_t count) {
  Decoder<Stored, Voxel> decoder(encoding, voxels, count);
  size_t rest = 0;
  const auto compression = encoding.is_compressed ? citk::Compression::deflate : citk::Compression::none;
  citk::inflate_file(encoding.path, encoding.offset, compression, [&](const unsigned char *bytes, size_t available) {
    if (decoder.is_full()) rest += available;
    decoder.take(bytes, available);
    return !decoder.is_full() || (encoding.is_compressed && rest <= largest_rest);
  });
  if (!decoder.is_full()) throw std::runtime_error("unexpected end of file");
}

template <typename Voxel>
bool read(const Encoding &encoding, Voxel *voxels, ptrdiff_t count) {
  return citk::guard(false, [&] {
    switch (encoding.datatype) {  // NIfTI's codes
      case 2: decode<uint8_t>(encoding, voxels, count); break;
      case 4: decode<int16_t>(encoding, voxels, count); break;
      case 8: decode<int32_t>(encoding, voxels, count); break;
      case 16: decode<float>(encoding, voxels, count); break;
      case 64: decode<double>(encoding, voxels, count); break;
      case 256: decode<int8_t>(encoding, voxels, count); break;
      case 512: decode<uint16_t>(encoding, voxels, count); break;
      case 768: decode<uint32_t>(encoding, voxels, count); break;
      case 1024: decode<int64_t>(encoding, voxels, count); break;
      case 1280: decode<uint64_t>(encoding, voxels, count); break;
      default: throw std::invalid_argument("a data type that is not one number a voxel");
    }
    return true;
  });
}

}  // namespace

bool citk_read_voxels_float(const CITKVoxels *stored, float *voxels, ptrdiff_t count) {
  return read(*stored, voxels, count);
}

bool citk_read_voxels_double(const CITKVoxels *stored, double *voxels, ptrdiff_t count) {
  return read(*stored, voxels, count);
}
