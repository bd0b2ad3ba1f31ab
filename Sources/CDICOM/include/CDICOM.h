#ifndef CDICOM_H
#define CDICOM_H

// C functions over DCMTK. A returned handle is yours: free it once. Every other argument is borrowed; text is UTF-8.
//
// Functions that can fail return false or null, and cdicom_last_error() says why (of this thread's last failure).
// DCMTK follows nested sequences by recursion, without a limit: files are to be checked for depth before they come here.

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#if __has_feature(nullability)
#pragma clang assume_nonnull begin
#endif

const char *cdicom_last_error(void);

// Reading. Values longer than 4096 bytes, pixels among them, stay on disk until they are asked for.

typedef struct cdicom_file cdicom_file;

cdicom_file *_Nullable cdicom_open(const char *path);
void cdicom_close(cdicom_file *file);
// A value of the data set, or of the meta header (group 2), as text of at most `capacity` bytes, without the spaces
// around it: `tag` is group << 16 | element, `position` counts from 0. Returns its length, −1 where there is none.
ptrdiff_t cdicom_value(const cdicom_file *file, uint32_t tag, ptrdiff_t position, char *text, ptrdiff_t capacity);
// The same of the first item of a sequence, or of sequences in it: `path` holds their tags from the outside to the inside.
ptrdiff_t cdicom_value_within(
    const cdicom_file *file, const uint32_t *path, ptrdiff_t depth, uint32_t tag, char *text, ptrdiff_t capacity);
// Whether there is a sequence with something in it.
bool cdicom_has_sequence(const cdicom_file *file, uint32_t tag);
// Bytes that the pixels take in the file, compressed or not; −1 where there are none.
ptrdiff_t cdicom_pixel_bytes(const cdicom_file *file);
bool cdicom_is_compressed(const cdicom_file *file);
// Whether its transfer syntax is one that cdicom_read_pixels can decode.
bool cdicom_can_decode(const cdicom_file *file);

typedef struct {
  ptrdiff_t columns, rows;
  ptrdiff_t bits_allocated;  // 8 or 16
  ptrdiff_t bits_stored;
  ptrdiff_t high_bit;
  bool is_signed;
  double slope, intercept;
  int32_t padding_low, padding_high;  // the stored values that are no data; none where low is above high
} cdicom_pixels;

// The one frame of a grey image as stored value × slope + intercept; `values` and `no_data` hold columns × rows.
bool cdicom_read_pixels(const cdicom_file *file, const cdicom_pixels *pixels, float *values, bool *no_data);

// Elements that a segmentation takes over from its source, judged one element after the other.

typedef struct {
  uint32_t tag;
  bool is_required;  // by the segmentation
  bool is_missing;   // or else not valid
  bool is_kept;      // a UID that is not valid by its leading zeros alone, which many old files have
  char keyword[64];
  char value[128];
} cdicom_fault;

// The fault of the lowest tag above `after`; false where there are no more.
bool cdicom_next_fault(const cdicom_file *source, uint32_t after, cdicom_fault *fault);
// Tells whether a UID is valid, or would be without the leading zeros of its parts.
bool cdicom_is_uid(const char *uid);

// Writing a segmentation: create, add segments, add frames, check or save.

typedef struct cdicom_segmentation cdicom_segmentation;

typedef struct {
  const char *value, *scheme, *meaning;
} cdicom_code;

// New ones for the segmentation.
typedef struct {
  const char *instance, *series, *dimension_organization;
} cdicom_uids;

// `source` is a file whose patient, study and frame of reference the segmentation has; elements of these that are not
// valid are left out, so that the file is changed in memory. `spacing` is the distance of
// rows, of columns and of slices in mm; `orientation` the direction cosines of a row and of a column. With `needs_utf8`
// the source's text is converted to UTF-8, which labels then may be in; otherwise they are ASCII.
cdicom_segmentation *_Nullable cdicom_segmentation_create(
    cdicom_file *source, cdicom_uids uids, const char *software_version, bool needs_utf8, const double *spacing,
    const double *orientation);
void cdicom_segmentation_free(cdicom_segmentation *segmentation);
// The first segment gets number 1. `modifier` is null or narrows `type`, such as left. `colour` is red, green and blue.
bool cdicom_segmentation_add_segment(
    cdicom_segmentation *segmentation, const char *label, cdicom_code category, cdicom_code type,
    const cdicom_code *_Nullable modifier, const uint8_t *colour);
// `mask` holds columns × rows of the source, nonzero where the segment is; `position` is that of its first pixel, in mm,
// `place` the slice's number from 1.
bool cdicom_segmentation_add_frame(
    cdicom_segmentation *segmentation, ptrdiff_t segment, ptrdiff_t place, const uint8_t *mask, const double *position,
    const char *source_class, const char *source_instance);
// Also refers to an image of the source's series as a whole.
bool cdicom_segmentation_add_reference(
    cdicom_segmentation *segmentation, const char *source_class, const char *source_instance);
// Tells whether what there is so far could be saved.
bool cdicom_segmentation_check(cdicom_segmentation *segmentation);
bool cdicom_segmentation_save(cdicom_segmentation *segmentation, const char *path);

#if __has_feature(nullability)
#pragma clang assume_nonnull end
#endif

#ifdef __cplusplus
}
#endif
#endif
