#include "Support.h"

#include <itk_zlib.h>

#include <algorithm>
#include <cstdio>
#include <memory>
#include <stdexcept>
#include <vector>

namespace {

using File = std::unique_ptr<FILE, decltype(&fclose)>;

struct Inflater {
  z_stream stream{};
  Inflater() {
    if (inflateInit2(&stream, 15 + 32) != Z_OK) throw std::bad_alloc();  // 32: a gzip or a zlib header
  }
  ~Inflater() { inflateEnd(&stream); }
};

// Hands the decompressed bytes to `sink` until it returns false or the data end; throws where they are damaged.
template <typename Sink>
void inflate_file(const char *path, ptrdiff_t offset, Sink &&sink) {
  File file(fopen(path, "rb"), fclose);
  if (!file || fseek(file.get(), long(offset), SEEK_SET) != 0) throw std::runtime_error("it cannot be opened");
  Inflater inflater;
  auto &stream = inflater.stream;
  std::vector<unsigned char> input(1 << 18), output(1 << 20);
  bool ended = false;
  for (;;) {
    if (stream.avail_in == 0) {
      stream.next_in = input.data();
      stream.avail_in = unsigned(fread(input.data(), 1, input.size(), file.get()));
      if (stream.avail_in == 0) break;
    }
    if (ended) {
      if (*stream.next_in != 0x1f) return;  // padding after the last gzip member
      inflateReset(&stream);
    }
    stream.next_out = output.data();
    stream.avail_out = unsigned(output.size());
    const int code = inflate(&stream, Z_NO_FLUSH);
    if (!sink(output.data(), output.size() - stream.avail_out)) return;
    if (code != Z_OK && code != Z_STREAM_END && code != Z_BUF_ERROR)
      throw std::runtime_error(stream.msg ? stream.msg : "damaged data");
    ended = code == Z_STREAM_END;
  }
  if (!ended) throw std::runtime_error("unexpected end of file");
}

}  // namespace

ptrdiff_t citk_inflate_head(const char *path, uint8_t *head, ptrdiff_t count) {
  ptrdiff_t filled = 0;
  citk::guard(false, [&] {
    inflate_file(path, 0, [&](const unsigned char *bytes, size_t available) {
      const auto taken = std::min(size_t(count - filled), available);
      std::copy_n(bytes, taken, head + filled);
      filled += ptrdiff_t(taken);
      return filled < count;
    });
    return true;
  });
  return filled;
}

citk_inflation citk_inflate(
    const char *path, ptrdiff_t offset, const char *target, ptrdiff_t limit, ptrdiff_t *bytes) {
  *bytes = 0;
  File output(target ? fopen(target, "wb") : nullptr, fclose);
  bool writable = !target || output;
  const bool complete = citk::guard(false, [&] {
    inflate_file(path, offset, [&](const unsigned char *chunk, size_t count) {
      const auto kept = size_t(std::clamp(limit - *bytes, ptrdiff_t(0), ptrdiff_t(count)));
      *bytes += ptrdiff_t(count);
      if (output) writable = fwrite(chunk, 1, kept, output.get()) == kept;
      return writable;
    });
    return true;
  });
  if (output && fclose(output.release()) != 0) writable = false;
  return !writable ? citk_unwritable : complete ? citk_inflated : citk_damaged;
}

bool citk_gzip(const char *source, const char *target) {
  return citk::guard(false, [&] {
    File input(fopen(source, "rb"), fclose);
    gzFile output = gzopen(target, "wb3");  // 3: images shrink nearly as far as with 6, twice as fast
    if (!input || !output) throw std::runtime_error("it cannot be opened");
    std::vector<unsigned char> chunk(1 << 20);
    bool complete = true;
    while (complete) {
      const auto count = fread(chunk.data(), 1, chunk.size(), input.get());
      if (count == 0) break;
      complete = gzwrite(output, chunk.data(), unsigned(count)) == int(count);
    }
    if (gzclose(output) != Z_OK || !complete || ferror(input.get())) throw std::runtime_error("it cannot be written");
    return true;
  });
}
