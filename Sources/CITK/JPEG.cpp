#include "Support.h"

#include <algorithm>
#include <csetjmp>
#include <cstdio>
#include <cstring>
#include <memory>
#include <stdexcept>

#include <itk_jpeg.h>

namespace {

struct Errors {
  jpeg_error_mgr manager;
  std::jmp_buf place;
  char message[JMSG_LENGTH_MAX];
};

[[noreturn]] void fail(j_common_ptr info) {
  auto *errors = reinterpret_cast<Errors *>(info->err);
  info->err->format_message(info, errors->message);
  std::longjmp(errors->place, 1);
}

/// Treats libjpeg's warnings, of levels below 0, as failures: it met damage and invents pixels.
///
/// The harmless ones concern data that change no pixel.
void judge(j_common_ptr info, int level) {
  const int code = info->err->msg_code;
  const bool harmless =
      code == JWRN_JFIF_MAJOR || code == JWRN_EXTRANEOUS_DATA || code == JWRN_ADOBE_XFORM || code == JWRN_TOO_MUCH_DATA;
  if (level < 0 && !harmless) fail(info);
}

/// Decodes the pixels. Errors jump out of the middle, so no local variable may need destruction.
bool decode(
    jpeg_decompress_struct &info, Errors &errors, FILE *file, JDIMENSION width, JDIMENSION height, int components,
    float *values) {
  if (setjmp(errors.place) != 0) return false;
  jpeg_create_decompress(&info);
  jpeg_stdio_src(&info, file);
  jpeg_read_header(&info, TRUE);
  if (info.image_width != width || info.image_height != height || info.num_components != components) {
    std::strcpy(errors.message, "its header has changed");
    return false;
  }
  info.out_color_space = components == 1 ? JCS_GRAYSCALE : JCS_RGB;
  jpeg_start_decompress(&info);
  const size_t count = size_t(width) * size_t(components);
  JSAMPARRAY row = info.mem->alloc_sarray(reinterpret_cast<j_common_ptr>(&info), JPOOL_IMAGE, JDIMENSION(count), 1);
  while (info.output_scanline < height) {
    jpeg_read_scanlines(&info, row, 1);
    values = std::copy_n(row[0], count, values);
  }
  jpeg_finish_decompress(&info);
  return true;
}

}  // namespace

bool citk_jpeg_read(const char *path, ptrdiff_t width, ptrdiff_t height, ptrdiff_t components, float *values) {
  return citk::guard(false, [&] {
    const std::unique_ptr<FILE, decltype(&std::fclose)> file(std::fopen(path, "rb"), &std::fclose);
    if (!file) throw std::runtime_error("it cannot be opened");
    Errors errors{};
    jpeg_decompress_struct info{};
    info.err = jpeg_std_error(&errors.manager);
    errors.manager.error_exit = fail;
    errors.manager.emit_message = judge;
    const bool done =
        decode(info, errors, file.get(), JDIMENSION(width), JDIMENSION(height), int(components), values);
    jpeg_destroy_decompress(&info);
    if (!done) throw std::runtime_error(errors.message);
    return true;
  });
}
