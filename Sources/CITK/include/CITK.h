#ifndef CITK_H
#define CITK_H

// C functions over ITK. A returned `citk_file *` is yours: free it once. Every other argument is borrowed.
//
// Volumes are dense, x fastest. `size` has 3 values; `frame` has 15: spacing (mm), origin (mm), direction (rows).
// Functions that can fail return false or null, and citk_last_error() says why (of this thread's last failure).

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#if __has_feature(nullability)
#pragma clang assume_nonnull begin
#endif

const char *citk_last_error(void);

// Files. A TIFF's header is read on opening, its pixels on demand. (ITK 5.2's readers of MetaImage and NRRD crash on
// damaged headers: ours are in Swift.)

typedef struct citk_file citk_file;
typedef enum { citk_nifti, citk_tiff } citk_format;
typedef enum { citk_uint8, citk_int16, citk_float32 } citk_component;

// The pixels of a TIFF with a palette are its colours or, without `expands_palette`, its indices.
citk_file *_Nullable citk_file_open(const char *path, citk_format format, bool expands_palette);
void citk_file_free(citk_file *file);
ptrdiff_t citk_file_dimension_count(const citk_file *file);
ptrdiff_t citk_file_dimension(const citk_file *file, ptrdiff_t axis);
ptrdiff_t citk_file_components(const citk_file *file);      // values per voxel
ptrdiff_t citk_file_component_bytes(const citk_file *file);
void citk_file_frame(const citk_file *file, double *frame); // of the first three axes
// The components of a voxel one after the other.
bool citk_file_read_float(citk_file *file, float *voxels);
bool citk_file_read_double(citk_file *file, double *voxels);

// `dimensions` is 3, or 4 for channels last (`size` then has 4 values).
bool citk_write_nifti(
    const char *path, citk_component component, ptrdiff_t dimensions, const ptrdiff_t *size, const double *frame,
    const void *voxels);

// PNG, by libpng itself, where damage is a failure. (On a damaged header ITK 5.2's reader ends the process, and it
// prints libpng's warnings.)

typedef struct {
  ptrdiff_t width, height;
  ptrdiff_t bits;        // of a component: 1, 2, 4, 8 or 16
  ptrdiff_t components;  // of a pixel, once a palette is expanded: 1 grey, 2 grey + alpha, 3 RGB, 4 RGB + alpha
  bool has_palette;
} citk_png_header;

bool citk_png_read_header(const char *path, citk_png_header *header);
// `values` holds width × height × components of `header`, or without `expands_palette` width × height indices. Grey of
// less than 8 bits is brought to 0…255. Damage, data that are cut short and another header in the file are failures.
bool citk_png_read(const char *path, const citk_png_header *header, bool expands_palette, float *values);

// JPEG, by libjpeg itself, where damage is a failure. (ITK 5.2's reader crashes on much of it, and reports the rest.)
// `components` is 1 (grey) or 3 (red, green, blue), as in the file; `values` holds width × height × components.
bool citk_jpeg_read(const char *path, ptrdiff_t width, ptrdiff_t height, ptrdiff_t components, float *values);

// A PNG file in memory, by libpng itself (ITK 5.2's writer crashes where the disk is full): 8 bits a component, 1 (grey) or 3
// (red, green, blue) of each pixel, rows from the top; `count` bytes that are yours, to be given to free().
uint8_t *_Nullable citk_png_encode(
    ptrdiff_t width, ptrdiff_t height, ptrdiff_t components, const uint8_t *pixels, ptrdiff_t *count);

// Voxels of NIfTI, MetaImage and NRRD.
// (ITK 5.2's reader of NIfTI turns NaN into 0, reads no NIfTI-2 and does not notice files cut short.)

typedef struct {
  const char *path;
  ptrdiff_t offset;    // in the file
  bool is_compressed;  // gzip or zlib from there on
  int datatype;        // NIfTI's code
  ptrdiff_t skip;      // bytes before the voxels, once decompressed
  bool swapped;        // in the other byte order
  double slope, intercept;
} citk_voxels;

bool citk_read_voxels_float(const citk_voxels *stored, float *voxels, ptrdiff_t count);
bool citk_read_voxels_double(const citk_voxels *stored, double *voxels, ptrdiff_t count);

// Compressed data (gzip, several members too, or zlib; others count as they are).

// Fills `head` with the first `count` decompressed bytes and returns how many there were.
ptrdiff_t citk_inflate_head(const char *path, uint8_t *head, ptrdiff_t count);
// Counts the decompressed bytes from `offset` on: at most `limit` and a chunk more, so that no small file that becomes huge is
// decompressed to its end; up to the fault where data are damaged or cut short (false).
bool citk_inflated_count(const char *path, ptrdiff_t offset, ptrdiff_t limit, ptrdiff_t *count);
bool citk_gzip(const char *source, const char *target);

// Filters.

bool citk_resample_float(
    const float *voxels, const ptrdiff_t *size, const double *frame, bool linear, float *output,
    const ptrdiff_t *output_size, const double *output_frame);
bool citk_resample_uint8(
    const uint8_t *voxels, const ptrdiff_t *size, const double *frame, uint8_t *output, const ptrdiff_t *output_size,
    const double *output_frame);
// Squared Euclidean distance (mm²) from each voxel's centre to the nearest nonzero one's; the mask must have one.
bool citk_squared_distance(const uint8_t *mask, const ptrdiff_t *size, const double *frame, double *output);
bool citk_smooth(float *voxels, const ptrdiff_t *size, const double *frame, double sigma_mm);

#if __has_feature(nullability)
#pragma clang assume_nonnull end
#endif

#ifdef __cplusplus
}
#endif
#endif
