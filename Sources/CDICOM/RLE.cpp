#include "RLE.h"

#include <algorithm>
#include <cstring>

namespace cdicom {

namespace {

/// Decompresses a segment (PS3.5 G.3) into every `step`th byte of `output`. Each run starts with a length byte.
void unpack_segment(const uint8_t *next, const uint8_t *end, uint8_t *output, size_t count, size_t step) {
  size_t done = 0;
  while (done < count) {
    require(next < end, "its RLE data end early");
    const int8_t length = int8_t(*next++);
    if (length == -128) continue;
    const size_t run = std::min(size_t(length < 0 ? 1 - length : 1 + length), count - done);
    require(end - next >= ptrdiff_t(length < 0 ? 1 : run), "its RLE data end early");
    for (size_t index = 0; index < run; ++index) output[(done + index) * step] = length < 0 ? *next : next[index];
    next += length < 0 ? 1 : run;
    done += run;
  }
}

}  // namespace

void unpack_rle(const std::vector<uint8_t> &data, size_t pixels, size_t bytes, uint8_t *output) {
  constexpr size_t header = 64;
  require(data.size() >= header, "its RLE header is cut short");
  uint32_t words[16];  // the number of segments, then their offsets
  for (size_t index = 0; index < 16; ++index) {
    words[index] = 0;
    for (size_t byte = 4; byte-- > 0;) words[index] = words[index] << 8 | data[index * 4 + byte];
  }
  require(words[0] == bytes, "its RLE header has another number of segments");
  for (size_t segment = 0; segment < bytes; ++segment) {
    const size_t begin = words[1 + segment];
    const size_t end = segment + 1 < bytes ? words[2 + segment] : data.size();
    require(header <= begin && begin <= end && end <= data.size(), "its RLE header is damaged");
    // The first segment holds the most significant bytes, which come last in memory.
    unpack_segment(data.data() + begin, data.data() + end, output + (bytes - 1 - segment), pixels, bytes);
  }
}

}  // namespace cdicom
