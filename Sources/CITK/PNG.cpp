#include "Support.h"

#include <algorithm>
#include <csetjmp>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <stdexcept>
#include <vector>

#include <itk_png.h>

namespace {

using Bytes = std::vector<png_byte>;

struct Message {
  char text[256];
};

/// libpng's common messages, and these in words for users.
constexpr const char *sentences[][2] = {
    {"Not a PNG file", "it does not begin as a PNG"},
    {"Read Error", "it ends too early"},
    {"CRC error", "a wrong checksum"},
    {"IDAT: ", "damaged pixels"},  // followed by zlib's words, which vary
};

[[noreturn]] void fail(png_structp png, png_const_charp text) {
  for (const auto &[theirs, ours] : sentences) {
    if (std::strstr(text, theirs) != nullptr) text = ours;
  }
  auto *message = static_cast<Message *>(png_get_error_ptr(png));
  std::snprintf(message->text, sizeof message->text, "%s", text);
  png_longjmp(png, 1);
}

/// Treats libpng's warnings as failures: it met damage and passes over it.
///
/// The harmless ones concern data that change no pixel.
void judge(png_structp png, png_const_charp text) {
  for (const char *harmless : {"xtra compressed data", "Too much image data", "PLTE: ignored in grayscale PNG"}) {
    if (std::strstr(text, harmless) != nullptr) return;
  }
  fail(png, text);
}

class Reader {
 public:
  explicit Reader(const char *path) : file(std::fopen(path, "rb"), &std::fclose) {
    if (!file) throw std::runtime_error("it cannot be opened");
    png = png_create_read_struct(PNG_LIBPNG_VER_STRING, &message, fail, judge);
    info = png_create_info_struct(png);
  }
  ~Reader() { png_destroy_read_struct(&png, &info, nullptr); }
  Reader(const Reader &) = delete;

  /// Reads up to the pixels.
  CITKPNGHeader header() {
    run([&] {
      png_init_io(png, file.get());
      png_set_user_limits(png, 1 << 24, 1 << 24);
      png_set_chunk_malloc_max(png, 64 << 20);
      png_set_crc_action(png, PNG_CRC_ERROR_QUIT, PNG_CRC_ERROR_QUIT);
      png_set_keep_unknown_chunks(png, PNG_HANDLE_CHUNK_NEVER, nullptr, -1);  // text and gamma, but not tRNS
      png_set_check_for_invalid_index(png, 0);                                // `put_entries` checks instead.
      png_read_info(png, info);
    });
    const int colour = png_get_color_type(png, info);
    const bool has_alpha = (colour & PNG_COLOR_MASK_ALPHA) != 0 || png_get_valid(png, info, PNG_INFO_tRNS) != 0;
    return {
        ptrdiff_t(png_get_image_width(png, info)), ptrdiff_t(png_get_image_height(png, info)),
        png_get_bit_depth(png, info), (colour & PNG_COLOR_MASK_COLOR ? 3 : 1) + (has_alpha ? 1 : 0),
        colour == PNG_COLOR_TYPE_PALETTE};
  }

  /// Reads samples of one byte, or two with the higher first, or a palette's indices.
  Bytes samples(const CITKPNGHeader &header) {
    run([&] {
      if (header.has_palette) png_set_packing(png);
      else png_set_expand(png);
      png_set_interlace_handling(png);
      png_read_update_info(png, info);
    });
    const size_t length = png_get_rowbytes(png, info);
    if (length != size_t(header.width * (header.has_palette ? 1 : header.components) * (header.bits == 16 ? 2 : 1))) {
      throw std::logic_error("its rows have another length than its header says");
    }
    Bytes bytes(length * size_t(header.height));
    std::vector<png_bytep> rows;
    for (auto *row = bytes.data(); rows.size() < size_t(header.height); row += length) rows.push_back(row);
    run([&] {
      png_read_image(png, rows.data());
      png_read_end(png, nullptr);
    });
    return bytes;
  }

  /// Writes the palette's colours of `indices`, with alpha where the file has it, or the checked indices.
  void put_entries(const Bytes &indices, bool expands, float *values) const {
    png_colorp colours = nullptr;
    png_bytep alphas = nullptr;
    int count = 0, alpha_count = 0;
    png_get_PLTE(png, info, &colours, &count);
    png_get_tRNS(png, info, &alphas, &alpha_count, nullptr);
    for (const int index : indices) {
      if (index >= count) throw std::runtime_error("a pixel that the palette has no colour for");
      if (!expands) {
        *values++ = float(index);
        continue;
      }
      for (const png_byte value : {colours[index].red, colours[index].green, colours[index].blue}) *values++ = value;
      if (alphas != nullptr) *values++ = index < alpha_count ? alphas[index] : 255;
    }
  }

 private:
  /// Runs `body`. Errors jump out of its middle, so none of its variables may need destruction.
  template <typename Body>
  void run(Body body) {
    if (info == nullptr) throw std::bad_alloc();
    if (setjmp(png_jmpbuf(png)) != 0) throw std::runtime_error(message.text);
    body();
  }

  std::unique_ptr<FILE, decltype(&std::fclose)> file;
  Message message{};
  png_structp png = nullptr;
  png_infop info = nullptr;
};

}  // namespace

bool citk_png_read_header(const char *path, CITKPNGHeader *header) {
  return citk::guard(false, [&] {
    *header = Reader(path).header();
    return true;
  });
}

bool citk_png_read(const char *path, const CITKPNGHeader *expected, bool expands_palette, float *values) {
  return citk::guard(false, [&] {
    Reader reader(path);
    const auto found = reader.header();
    if (found.width != expected->width || found.height != expected->height || found.bits != expected->bits ||
        found.components != expected->components || found.has_palette != expected->has_palette) {
      throw std::runtime_error("its header has changed");
    }
    const Bytes bytes = reader.samples(found);
    if (found.has_palette) reader.put_entries(bytes, expands_palette, values);
    else if (found.bits < 16) std::copy(bytes.begin(), bytes.end(), values);
    else for (size_t i = 0; i < bytes.size(); i += 2) *values++ = float(bytes[i] << 8 | bytes[i + 1]);
    return true;
  });
}

/// Encodes pixels of one of libpng's formats.
static uint8_t *encode(ptrdiff_t width, ptrdiff_t height, png_uint_32 format, const void *pixels, ptrdiff_t *count) {
  return citk::guard(static_cast<uint8_t *>(nullptr), [&] {
    png_image image{};
    image.version = PNG_IMAGE_VERSION;
    image.width = png_uint_32(width);
    image.height = png_uint_32(height);
    image.format = format;
    png_alloc_size_t size = PNG_IMAGE_PNG_SIZE_MAX(image);  // the worst case
    std::unique_ptr<uint8_t, decltype(&std::free)> bytes(static_cast<uint8_t *>(std::malloc(size)), &std::free);
    if (!bytes) throw std::bad_alloc();
    if (png_image_write_to_memory(&image, bytes.get(), &size, 0, pixels, 0, nullptr) == 0) {
      throw std::runtime_error(image.message);
    }
    *count = ptrdiff_t(size);
    return bytes.release();
  });
}

uint8_t *citk_png_encode(
    ptrdiff_t width, ptrdiff_t height, ptrdiff_t components, const uint8_t *pixels, ptrdiff_t *count) {
  return encode(width, height, components == 3 ? PNG_FORMAT_RGB : PNG_FORMAT_GRAY, pixels, count);
}

uint8_t *citk_png_encode_uint16(ptrdiff_t width, ptrdiff_t height, const uint16_t *pixels, ptrdiff_t *count) {
  return encode(width, height, PNG_FORMAT_LINEAR_Y, pixels, count);
}
