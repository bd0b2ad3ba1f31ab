// C functions over ITK, libpng, libjpeg and zlib.
//
// Ownership: the caller frees a returned CITKFile once, with its free function. Arguments are borrowed.
// Errors: null or false means failure. citk_error then returns the message of this thread's last failure.
// Names: functions have the prefix citk_, types and constants CITK. CTorch and CDICOM follow the same rules.
// Volumes are dense, with x fastest. `size` has 3 values. `frame` has 15: spacing (mm), origin (mm), direction (rows).
#ifndef CITK_H
#define CITK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#pragma clang assume_nonnull begin

#ifdef __cplusplus
extern "C" {
#endif

typedef struct CITKFile CITKFile;

/// A format that ITK reads. Swift reads MetaImage and NRRD: ITK 5.2 crashes on damaged headers of both.
typedef enum CITKFormat : int32_t {
  CITKFormatNIfTI,
  CITKFormatTIFF,
} CITKFormat;

typedef enum CITKComponent : int32_t {
  CITKComponentUInt8,
  CITKComponentUInt16,
  CITKComponentInt16,
  CITKComponentFloat32,
} CITKComponent;

/// Returns the message of the last failure on this thread.
const char *citk_error(void);

// MARK: Files

/// Opens a file and reads its header. The pixels are read on demand.
///
/// `expands_palette` chooses a TIFF's colours over its palette's indices.
CITKFile *_Nullable citk_file_open(const char *path, CITKFormat format, bool expands_palette);
void citk_file_free(CITKFile *file);
ptrdiff_t citk_file_dimension_count(const CITKFile *file);
ptrdiff_t citk_file_dimension(const CITKFile *file, ptrdiff_t axis);
/// Returns the number of values per voxel.
ptrdiff_t citk_file_components(const CITKFile *file);
ptrdiff_t citk_file_component_bytes(const CITKFile *file);
/// Reads all voxels, each with its components one after the other.
bool citk_file_read_float(CITKFile *file, float *voxels);
bool citk_file_read_double(CITKFile *file, double *voxels);

/// Writes a volume. `dimensions` is 3, or 4 for channels last, where `size` has 4 values.
bool citk_write_nifti(
    const char *path, CITKComponent component, ptrdiff_t dimensions, const ptrdiff_t *size, const double *frame,
    const void *voxels);

// MARK: PNG, by libpng
//
// ITK 5.2's reader ends the process on a damaged header and prints libpng's warnings.

typedef struct CITKPNGHeader {
  ptrdiff_t width, height;
  ptrdiff_t bits;        // per component: 1, 2, 4, 8 or 16
  ptrdiff_t components;  // per pixel, with an expanded palette: 1 grey, 2 grey + alpha, 3 RGB, 4 RGB + alpha
  bool has_palette;
} CITKPNGHeader;

bool citk_png_read_header(const char *path, CITKPNGHeader *header);
/// Reads width × height × components of `header`, or width × height palette indices without `expands_palette`.
///
/// Grey of fewer than 8 bits is scaled to 0…255. Damaged data, data cut short and a changed header are failures.
bool citk_png_read(const char *path, const CITKPNGHeader *header, bool expands_palette, float *values);
/// Encodes a PNG file in memory. The caller passes the `count` bytes to free().
///
/// Pixels have 8 bits per component and 1 (grey) or 3 (red, green, blue) components, or one of 16 bits; rows from the top.
/// ITK 5.2's writer crashes where the disk is full.
uint8_t *_Nullable citk_png_encode(
    ptrdiff_t width, ptrdiff_t height, ptrdiff_t components, const uint8_t *pixels, ptrdiff_t *count);
uint8_t *_Nullable citk_png_encode_uint16(ptrdiff_t width, ptrdiff_t height, const uint16_t *pixels, ptrdiff_t *count);

// MARK: JPEG, by libjpeg

/// Reads width × height × components, with 1 (grey) or 3 (red, green, blue) components as in the file.
///
/// Damage is a failure. ITK 5.2's reader crashes on much of it.
bool citk_jpeg_read(const char *path, ptrdiff_t width, ptrdiff_t height, ptrdiff_t components, float *values);

// MARK: Voxels of NIfTI, MetaImage and NRRD
//
// ITK 5.2's reader of NIfTI turns NaN into 0, reads no NIfTI-2 and misses files cut short.

typedef struct CITKVoxels {
  const char *path;
  ptrdiff_t offset;    // in the file
  bool is_compressed;  // gzip or zlib from the offset on
  int datatype;        // NIfTI's code
  ptrdiff_t skip;      // decompressed bytes before the voxels
  bool swapped;        // in the other byte order
  double slope, intercept;
} CITKVoxels;

bool citk_read_voxels_float(const CITKVoxels *stored, float *voxels, ptrdiff_t count);
bool citk_read_voxels_double(const CITKVoxels *stored, double *voxels, ptrdiff_t count);

// MARK: Compressed data
//
// gzip may have several members. zlib is read too. Other data count as they are.

/// Fills `head` with the first `count` decompressed bytes. Returns the number of bytes there were.
ptrdiff_t citk_inflate_head(const char *path, uint8_t *head, ptrdiff_t count);
/// Counts the decompressed bytes from `offset` on, at most `limit` and a chunk more.
///
/// The limit protects from small files that become huge. Damaged or short data are counted up to the fault (false).
bool citk_inflated_count(const char *path, ptrdiff_t offset, ptrdiff_t limit, ptrdiff_t *count);
bool citk_gzip(const char *source, const char *target);
/// Compresses bytes in memory. The caller passes the `compressed` bytes to free().
uint8_t *_Nullable citk_gzip_bytes(const uint8_t *bytes, ptrdiff_t count, ptrdiff_t *compressed);

// MARK: Filters

bool citk_resample_float(
    const float *voxels, const ptrdiff_t *size, const double *frame, bool linear, float *output,
    const ptrdiff_t *output_size, const double *output_frame);
bool citk_resample_uint8(
    const uint8_t *voxels, const ptrdiff_t *size, const double *frame, uint8_t *output, const ptrdiff_t *output_size,
    const double *output_frame);
bool citk_resample_uint16(
    const uint16_t *voxels, const ptrdiff_t *size, const double *frame, uint16_t *output,
    const ptrdiff_t *output_size, const double *output_frame);
/// Measures the squared Euclidean distance (mm²) from each voxel's centre to the nearest nonzero voxel's centre.
///
/// The mask must have a nonzero voxel.
bool citk_squared_distance(const uint8_t *mask, const ptrdiff_t *size, const double *frame, double *output);
bool citk_smooth(float *voxels, const ptrdiff_t *size, const double *frame, double sigma_mm);

#ifdef __cplusplus
}
#endif

#pragma clang assume_nonnull end

#endif
