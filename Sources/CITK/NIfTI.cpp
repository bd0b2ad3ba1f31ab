#include "Gzip.h"

#include <algorithm>
#include <cstring>

namespace {

struct Encoding {
  ptrdiff_t offset;
  bool swapped;
  double slope;
  double intercept;
};

// Takes a file's bytes chunk by chunk and turns them into voxels.
template <typename Stored, typename Voxel>
class Decoder {
 public:
  Decoder(const Encoding &encoding, Voxel *voxels, ptrdiff_t count)
      : encoding(encoding), skip(encoding.offset), next(voxels), end(voxels + count),
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

template <typename Stored, typename Voxel>
void decode(const char *path, const Encoding &encoding, Voxel *voxels, ptrdiff_t count) {
  Decoder<Stored, Voxel> decoder(encoding, voxels, count);
  citk::inflate_file(path, 0, [&](const unsigned char *bytes, size_t available) {
    decoder.take(bytes, available);
    return true;
  });
}

template <typename Voxel>
bool read(const char *path, int datatype, const Encoding &encoding, Voxel *voxels, ptrdiff_t count) {
  return citk::guard(false, [&] {
    switch (datatype) {  // NIfTI's codes
      case 2: decode<uint8_t>(path, encoding, voxels, count); break;
      case 4: decode<int16_t>(path, encoding, voxels, count); break;
      case 8: decode<int32_t>(path, encoding, voxels, count); break;
      case 16: decode<float>(path, encoding, voxels, count); break;
      case 64: decode<double>(path, encoding, voxels, count); break;
      case 256: decode<int8_t>(path, encoding, voxels, count); break;
      case 512: decode<uint16_t>(path, encoding, voxels, count); break;
      case 768: decode<uint32_t>(path, encoding, voxels, count); break;
      case 1024: decode<int64_t>(path, encoding, voxels, count); break;
      case 1280: decode<uint64_t>(path, encoding, voxels, count); break;
      default: throw std::invalid_argument("a NIfTI data type that is not one number a voxel");
    }
    return true;
  });
}

}  // namespace

bool citk_read_nifti_float(
    const char *path, int datatype, ptrdiff_t offset, bool swapped, double slope, double intercept, float *voxels,
    ptrdiff_t count) {
  return read(path, datatype, {offset, swapped, slope, intercept}, voxels, count);
}

bool citk_read_nifti_double(
    const char *path, int datatype, ptrdiff_t offset, bool swapped, double slope, double intercept, double *voxels,
    ptrdiff_t count) {
  return read(path, datatype, {offset, swapped, slope, intercept}, voxels, count);
}
