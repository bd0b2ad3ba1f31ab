// The kinds of files that are sent and taken: classes of images, and transfer syntaxes.
#pragma once

#include <string>
#include <vector>

namespace cdicom {

/// Grey images of one frame, and multi-frame ones, which the reader refuses in its own words.
extern const std::vector<std::string> image_classes;

/// The uncompressed syntaxes, the usual ones first.
extern const std::vector<const char *> uncompressed_syntaxes;

/// Syntaxes that the reader reads, besides the uncompressed ones.
extern const std::vector<const char *> compressed_syntaxes;

}  // namespace cdicom
