#include "Support.h"

#include <itk_zlib.h>

#include <cstdio>
#include <memory>
#include <stdexcept>
#include <vector>

namespace {
using Compressed = std::unique_ptr<gzFile_s, decltype(&gzclose)>;
using Plain = std::unique_ptr<FILE, decltype(&fclose)>;
}  // namespace

ptrdiff_t citk_inflate(const char *source, const char *target) {
  return citk::guard<ptrdiff_t>(-1, [&] {
    Compressed input(gzopen(source, "rb"), gzclose);
    if (!input) throw std::runtime_error("it cannot be opened");
    Plain output(target ? fopen(target, "wb") : nullptr, fclose);
    if (target && !output) throw std::runtime_error("no temporary file can be made");
    gzbuffer(input.get(), 1 << 18);
    std::vector<unsigned char> chunk(1 << 20);
    ptrdiff_t total = 0;
    for (;;) {
      const int count = gzread(input.get(), chunk.data(), unsigned(chunk.size()));
      if (count > 0) total += count;
      if (count > 0 && output && fwrite(chunk.data(), 1, size_t(count), output.get()) != size_t(count))
        throw std::runtime_error("the temporary folder is full");
      if (count == int(chunk.size())) continue;
      // A short read is the end, an error or, for zlib, a stream that stops in the middle.
      int code = Z_OK;
      const char *message = gzerror(input.get(), &code);
      if (count < 0 || (code != Z_OK && code != Z_STREAM_END)) throw std::runtime_error(message);
      return total;
    }
  });
}
