// DICOM's run-length encoding (PS3.5, annex G). DCMTK 3.6.7's decoder reads beyond its input on damaged offsets.
#pragma once

#include "Support.h"

#include <vector>

namespace cdicom {

/// Decompresses a frame to `pixels` numbers of `bytes` bytes each, little endian. Throws on damage.
void unpack_rle(const std::vector<uint8_t> &data, size_t pixels, size_t bytes, uint8_t *output);

}  // namespace cdicom
