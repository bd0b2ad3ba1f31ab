#include "RLE.h"

#include <dcmtk/dcmdata/dcpxitem.h>

#include <limits>

namespace {

DcmPixelData *pixel_data(const CDICOMFile *file) {
  DcmElement *element = nullptr;
  if (file->dataset().findAndGetElement(DCM_PixelData, element).bad()) return nullptr;
  return dynamic_cast<DcmPixelData *>(element);
}

DcmPixelSequence *compressed(const CDICOMFile *file, DcmPixelData *data) {
  DcmPixelSequence *sequence = nullptr;
  const E_TransferSyntax syntax = file->dataset().getOriginalXfer();
  if (!DcmXfer(syntax).isEncapsulated()) return nullptr;
  return data->getEncapsulatedRepresentation(syntax, nullptr, sequence).good() ? sequence : nullptr;
}

/// Returns the fragments without the first, the offset table. DCMTK would step over all earlier ones to reach one.
std::vector<DcmPixelItem *> pieces(DcmPixelSequence *fragments) {
  std::vector<DcmPixelItem *> found;
  DcmObject *next = fragments->nextInContainer(nullptr);
  while (next && (next = fragments->nextInContainer(next))) found.push_back(static_cast<DcmPixelItem *>(next));
  return found;
}

/// Returns the bytes of all fragments, which hold the single frame.
std::vector<uint8_t> joined(DcmPixelSequence *fragments) {
  std::vector<uint8_t> bytes;
  for (DcmPixelItem *fragment : pieces(fragments)) {
    Uint8 *data = nullptr;
    cdicom::require(fragment->getUint8Array(data));
    if (data) bytes.insert(bytes.end(), data, data + fragment->getLength());
  }
  return bytes;
}

/// The most fragments to decode. DCMTK's decoders take time that grows with the square of their number.
constexpr unsigned long most_fragments = 20000;

void decode(const CDICOMFile *file, DcmPixelData *data, size_t bytes, std::vector<Uint16> &words) {
  DcmPixelSequence *fragments = compressed(file, data);
  cdicom::require(!fragments || fragments->card() <= most_fragments, "they lie in more than 20000 fragments");
  Uint32 frame_bytes = 0, fragment = 0;
  OFString colour_model;
  cdicom::require(data->getUncompressedFrameSize(&file->dataset(), frame_bytes));
  cdicom::require(frame_bytes == bytes || frame_bytes == words.size() * 2, "its size is not the header's");
  cdicom::require(data->getUncompressedFrame(
      &file->dataset(), 0, fragment, words.data(), Uint32(words.size() * 2), colour_model));
}

/// Applies the slope and intercept to each pixel's stored bits, sign extended, and finds padding.
template <typename Word>
void scale(const std::vector<Uint16> &words, const CDICOMPixels &pixels, float *values, bool *no_data) {
  const auto *stored = reinterpret_cast<const Word *>(words.data());
  const auto shift = pixels.high_bit + 1 - pixels.bits_stored;
  const int32_t mask = (int32_t(1) << pixels.bits_stored) - 1, sign = int32_t(1) << (pixels.bits_stored - 1);
  for (ptrdiff_t index = 0; index < pixels.columns * pixels.rows; ++index) {
    int32_t value = (stored[index] >> shift) & mask;
    if (pixels.is_signed && (value & sign)) value -= mask + 1;
    values[index] = float(value * pixels.slope + pixels.intercept);
    no_data[index] = pixels.padding_low <= value && value <= pixels.padding_high;
  }
}

}  // namespace

ptrdiff_t cdicom_pixel_bytes(const CDICOMFile *file) {
  return cdicom::guard<ptrdiff_t>(-1, [&]() -> ptrdiff_t {
    DcmPixelData *data = pixel_data(file);
    if (!data) return -1;
    DcmPixelSequence *fragments = compressed(file, data);
    if (!fragments) return ptrdiff_t(data->getLength(file->dataset().getOriginalXfer()));
    ptrdiff_t bytes = 0;
    for (DcmPixelItem *fragment : pieces(fragments)) bytes += ptrdiff_t(fragment->getLength());
    return bytes;
  });
}

bool cdicom_is_compressed(const CDICOMFile *file) {
  return cdicom::guard(false, [&] { return DcmXfer(file->dataset().getOriginalXfer()).isEncapsulated(); });
}

bool cdicom_can_decode(const CDICOMFile *file) {
  return cdicom::guard(false, [&] {
    switch (file->dataset().getOriginalXfer()) {
      case EXS_LittleEndianImplicit:
      case EXS_LittleEndianExplicit:
      case EXS_BigEndianExplicit:
      case EXS_RLELossless:
      case EXS_JPEGProcess1:
      case EXS_JPEGProcess2_4:
      case EXS_JPEGProcess14:
      case EXS_JPEGProcess14SV1:
      case EXS_JPEGLSLossless:
      case EXS_JPEGLSLossy:
        return true;
      default:
        return false;
    }
  });
}

bool cdicom_read_pixels(const CDICOMFile *file, const CDICOMPixels *pixels, float *values, bool *no_data) {
  return cdicom::guard(false, [&] {
    DcmPixelData *data = pixel_data(file);
    cdicom::require(data != nullptr, "there are no pixels");
    const size_t bytes = size_t(pixels->columns * pixels->rows * (pixels->bits_allocated / 8));
    // DCMTK needs an even size and counts it in 32 bits.
    std::vector<Uint16> words((bytes + 1) / 2);
    cdicom::require(words.size() * 2 <= std::numeric_limits<Uint32>::max(), "more than 4 GB");
    if (file->dataset().getOriginalXfer() == EXS_RLELossless) {
      cdicom::unpack_rle(
          joined(compressed(file, data)), size_t(pixels->columns * pixels->rows), size_t(pixels->bits_allocated / 8),
          reinterpret_cast<uint8_t *>(words.data()));
    } else {
      decode(file, data, bytes, words);
    }
    if (pixels->bits_allocated == 8) scale<uint8_t>(words, *pixels, values, no_data);
    else scale<uint16_t>(words, *pixels, values, no_data);
    return true;
  });
}
