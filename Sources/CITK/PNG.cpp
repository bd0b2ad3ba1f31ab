#include "Support.h"

#include <itk_zlib.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iterator>
#include <stdexcept>
#include <vector>

namespace {

using Bytes = std::vector<unsigned char>;

uint32_t big_endian(const unsigned char *bytes) {
  return uint32_t(bytes[0]) << 24 | uint32_t(bytes[1]) << 16 | uint32_t(bytes[2]) << 8 | bytes[3];
}

struct Header {
  uint32_t width, height;
  unsigned bits, colour;  // PNG's colour type
  bool interlaced;

  unsigned samples() const { return colour == 0 || colour == 3 ? 1 : colour == 2 ? 3 : colour == 4 ? 2 : 4; }
};

// The chunks of a file that pixels are made of (PNG specification, third edition), their checksums verified.
struct Chunks {
  Header header{};
  Bytes palette, transparency, compressed;

  // `whole`: else reading ends where the pixels begin.
  Chunks(const char *path, bool whole) {
    std::ifstream file(path, std::ios::binary);
    unsigned char start[8];
    read(file, start, 8);
    if (std::memcmp(start, "\x89PNG\r\n\x1a\n", 8) != 0) throw std::runtime_error("it does not begin as a PNG");
    bool first = true;
    while (true) {
      unsigned char head[8];
      read(file, head, 8);
      const uint32_t length = big_endian(head);
      const std::string type(reinterpret_cast<char *>(head) + 4, 4);
      if (first != (type == "IHDR")) throw std::runtime_error("its header is not where it belongs");
      first = false;
      if (type == "IDAT" && !whole) return;
      const Bytes data = body(file, head + 4, length);
      if (type == "IHDR") take_header(data);
      else if (type == "PLTE") palette = data;
      else if (type == "tRNS") transparency = data;
      else if (type == "IDAT") compressed.insert(compressed.end(), data.begin(), data.end());
      else if (type == "IEND") return;
      else if (type[0] >= 'A' && type[0] <= 'Z') throw std::runtime_error("an unknown critical chunk");
    }
  }

  // Components of a pixel: tRNS makes an alpha of its own.
  unsigned components() const {
    return (header.colour == 3 ? 3 : header.samples()) + (transparency.empty() || header.colour > 3 ? 0 : 1);
  }

 private:
  static void read(std::ifstream &file, unsigned char *bytes, size_t count) {
    if (!file.read(reinterpret_cast<char *>(bytes), std::streamsize(count))) {
      throw std::runtime_error("it ends too early");
    }
  }

  // In steps, so that a false length takes no memory.
  static Bytes body(std::ifstream &file, const unsigned char *type, uint32_t length) {
    Bytes data;
    while (data.size() < length) {
      const size_t step = std::min<size_t>(length - data.size(), 1 << 20);
      data.resize(data.size() + step);
      read(file, data.data() + data.size() - step, step);
    }
    unsigned char checksum[4];
    read(file, checksum, 4);
    auto found = crc32(crc32(0, nullptr, 0), type, 4);
    if (!data.empty()) found = crc32(found, data.data(), uInt(data.size()));
    if (found != big_endian(checksum)) throw std::runtime_error("a wrong checksum");
    return data;
  }

  void take_header(const Bytes &data) {
    if (data.size() != 13) throw std::runtime_error("its header has a wrong length");
    header = {big_endian(data.data()), big_endian(data.data() + 4), data[8], data[9], data[12] == 1};
    const unsigned bits = header.bits, colour = header.colour;
    const bool known = colour == 0   ? bits == 1 || bits == 2 || bits == 4 || bits == 8 || bits == 16
                       : colour == 3 ? bits == 1 || bits == 2 || bits == 4 || bits == 8
                                     : (colour == 2 || colour == 4 || colour == 6) && (bits == 8 || bits == 16);
    if (!known || data[10] != 0 || data[11] != 0 || data[12] > 1 || header.width == 0 || header.height == 0) {
      throw std::runtime_error("its header has values that PNG does not know");
    }
  }
};

// A sub-image: all pixels, or one of Adam7's seven passes.
struct Pass {
  size_t left, top, across, down;

  size_t width(const Header &header) const { return (header.width + across - 1 - left) / across; }
  size_t height(const Header &header) const { return (header.height + down - 1 - top) / down; }
};

std::vector<Pass> passes(const Header &header) {
  if (!header.interlaced) return {{0, 0, 1, 1}};
  return {{0, 0, 8, 8}, {4, 0, 8, 8}, {0, 4, 4, 8}, {2, 0, 4, 4}, {0, 2, 2, 4}, {1, 0, 2, 2}, {0, 1, 1, 2}};
}

// Rows out of the compressed stream, one at a time, their filters undone.
class Rows {
 public:
  explicit Rows(const Bytes &compressed) {
    stream.next_in = const_cast<Bytef *>(compressed.data());
    left = compressed.size();
    if (inflateInit(&stream) != Z_OK) throw std::bad_alloc();
  }
  ~Rows() { inflateEnd(&stream); }
  Rows(const Rows &) = delete;

  void begin_pass(size_t bytes) { above.assign(bytes, 0), row.assign(bytes + 1, 0); }

  // `distance`: bytes from a pixel to the next, at least 1.
  const unsigned char *next(size_t distance) {
    inflate_row();
    unsigned char *now = row.data() + 1;
    for (size_t i = 0; i < above.size(); ++i) {
      const int west = i < distance ? 0 : now[i - distance];
      const int north = above[i];
      const int corner = i < distance ? 0 : above[i - distance];
      switch (row[0]) {
        case 0: break;
        case 1: now[i] += west; break;
        case 2: now[i] += north; break;
        case 3: now[i] += (west + north) / 2; break;
        case 4: now[i] += paeth(west, north, corner); break;
        default: throw std::runtime_error("an unknown filter");
      }
    }
    std::copy(row.begin() + 1, row.end(), above.begin());
    return above.data();
  }

 private:
  static unsigned char paeth(int west, int north, int corner) {
    const int to_west = std::abs(north - corner), to_north = std::abs(west - corner);
    const int to_corner = std::abs(west + north - 2 * corner);
    if (to_west <= to_north && to_west <= to_corner) return (unsigned char)west;
    return (unsigned char)(to_north <= to_corner ? north : corner);
  }

  void inflate_row() {
    stream.next_out = row.data();
    stream.avail_out = uInt(row.size());
    while (stream.avail_out > 0) {
      if (stream.avail_in == 0) {
        stream.avail_in = uInt(std::min<size_t>(left, 1 << 30));
        left -= stream.avail_in;
      }
      const int result = inflate(&stream, Z_NO_FLUSH);
      if (stream.avail_out == 0 && (result == Z_OK || result == Z_STREAM_END)) return;
      if (result != Z_OK || (stream.avail_in == 0 && left == 0)) {
        throw std::runtime_error(result == Z_DATA_ERROR ? "damaged pixels" : "too few pixels");
      }
    }
  }

  z_stream stream{};
  size_t left;
  Bytes row, above;
};

// What samples mean: grey of any depth, colours, a palette's entries, transparency.
class Pixels {
 public:
  Pixels(const Chunks &chunks, bool expands_palette)
      : chunks(chunks), bits(chunks.header.bits), samples(chunks.header.samples()),
        keeps_indices(chunks.header.colour == 3 && !expands_palette),
        components(keeps_indices ? 1 : chunks.components()) {
    if (chunks.header.colour == 3 && chunks.palette.size() % 3 != 0) throw std::runtime_error("a palette cut short");
    if (chunks.header.colour < 3 && !chunks.transparency.empty() && chunks.transparency.size() != 2 * samples) {
      throw std::runtime_error("a transparency of a wrong length");
    }
  }

  void put(const unsigned char *row, size_t column, float *pixel) const {
    if (chunks.header.colour == 3) return put_entry(sample(row, column), pixel);
    const bool has_key = components > samples;
    bool is_key = has_key;
    for (unsigned s = 0; s < samples; ++s) {
      const unsigned value = sample(row, column * samples + s);
      if (has_key) is_key &= value == unsigned(chunks.transparency[2 * s] << 8 | chunks.transparency[2 * s + 1]);
      pixel[s] = float(bits < 8 ? value * 255 / ((1u << bits) - 1) : value);
    }
    if (has_key) pixel[samples] = is_key ? 0 : bits == 16 ? 65535 : 255;
  }

 private:
  unsigned sample(const unsigned char *row, size_t index) const {
    if (bits == 16) return unsigned(row[2 * index] << 8 | row[2 * index + 1]);
    if (bits == 8) return row[index];
    const size_t place = index * bits;
    return row[place / 8] >> (8 - bits - place % 8) & ((1u << bits) - 1);
  }

  void put_entry(unsigned index, float *pixel) const {
    if (3 * index + 2 >= chunks.palette.size()) throw std::runtime_error("a pixel that the palette has no colour for");
    if (keeps_indices) {
      *pixel = float(index);
      return;
    }
    for (unsigned c = 0; c < 3; ++c) pixel[c] = chunks.palette[3 * index + c];
    if (components == 4) pixel[3] = index < chunks.transparency.size() ? chunks.transparency[index] : 255;
  }

  const Chunks &chunks;
  unsigned bits, samples;
  bool keeps_indices;

 public:
  unsigned components;
};

citk_png_header summary(const Chunks &chunks) {
  const auto &header = chunks.header;
  return {ptrdiff_t(header.width), ptrdiff_t(header.height), ptrdiff_t(header.bits), ptrdiff_t(chunks.components()),
          header.colour == 3};
}

}  // namespace

bool citk_png_read_header(const char *path, citk_png_header *header) {
  return citk::guard(false, [&] {
    *header = summary(Chunks(path, false));
    return true;
  });
}

bool citk_png_read(const char *path, const citk_png_header *expected, bool expands_palette, float *values) {
  return citk::guard(false, [&] {
    const Chunks chunks(path, true);
    const auto &header = chunks.header;
    const auto found = summary(chunks);
    if (found.width != expected->width || found.height != expected->height || found.bits != expected->bits ||
        found.components != expected->components || found.has_palette != expected->has_palette) {
      throw std::runtime_error("its header has changed");
    }
    const Pixels pixels(chunks, expands_palette);
    const size_t pixel_bits = size_t(header.samples()) * header.bits;
    Rows rows(chunks.compressed);
    for (const Pass &pass : passes(header)) {
      const size_t width = pass.width(header), height = pass.height(header);
      if (width == 0) continue;
      rows.begin_pass((width * pixel_bits + 7) / 8);
      for (size_t y = 0; y < height; ++y) {
        const unsigned char *row = rows.next(std::max<size_t>(1, pixel_bits / 8));
        const size_t first = (pass.top + y * pass.down) * header.width + pass.left;
        for (size_t x = 0; x < width; ++x) pixels.put(row, x, values + (first + x * pass.across) * pixels.components);
      }
    }
    return true;
  });
}
