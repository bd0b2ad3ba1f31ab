// Decompression in chunks.
#pragma once

#include "Support.h"

#include <itk_zlib.h>

#include <cstdio>
#include <functional>
#include <memory>

namespace citk {

using File = std::unique_ptr<FILE, decltype(&fclose)>;
using Sink = std::function<bool(const unsigned char *bytes, size_t count)>;

enum class Compression { none, deflate, detect };

/// Passes a file's bytes from `offset` on, decompressed if gzip or zlib, to `sink` until it returns false.
///
/// Throws where compressed data are damaged or cut short.
void inflate_file(const char *path, ptrdiff_t offset, Compression compression, const Sink &sink);

}  // namespace citk
