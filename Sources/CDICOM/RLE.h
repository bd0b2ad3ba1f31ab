// DICOM's run-length encoding (PS3.5, annex G). DCMTK 3.6.7's decoder reads beyond its input where offsets are damaged.
#pragma once

#include "Support.h"

#include <vector>

namespace cdicom {

// The frame's compressed bytes -> `pixels` numbers of `bytes` bytes each, little endian. Damage throws.
void unpack_rle(const std::vector<uint8_t> &data, size_t pixels, size_t bytes, uint8_t *output);

}  // namespace cdicom
