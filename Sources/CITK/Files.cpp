#include "Support.h"

#include <itkNiftiImageIO.h>
#include <itkTIFFImageIO.h>

#include <dlfcn.h>

#include <algorithm>
#include <cstdarg>
#include <cstring>
#include <mutex>
#include <stdexcept>
#include <vector>

using itk::ImageIOBase;
using Component = itk::IOComponentEnum;

struct CITKFile {
  ImageIOBase::Pointer io;
};

namespace {

/// Stops libtiff from printing. ITK renames libtiff's functions and gives no access to them.
void silence_libtiff() {
  using Handler = void (*)(const char *, const char *, va_list);
  for (const char *name : {"TIFFSetErrorHandler", "TIFFSetWarningHandler"}) {
    void *set = dlsym(RTLD_DEFAULT, (std::string("itk_") + name).c_str());
    if (set == nullptr) set = dlsym(RTLD_DEFAULT, name);
    if (set != nullptr) reinterpret_cast<Handler (*)(Handler)>(set)(nullptr);
  }
}

/// Makes a reader or writer directly, without ITK's global table of file formats.
ImageIOBase::Pointer make_io(CITKFormat format) {
  static std::once_flag once;
  std::call_once(once, [] {
    itk::Object::SetGlobalWarningDisplay(false);
    silence_libtiff();
  });
  switch (format) {
    case CITKFormatNIfTI: return itk::NiftiImageIO::New().GetPointer();
    case CITKFormatTIFF: return itk::TIFFImageIO::New().GetPointer();
  }
  throw std::invalid_argument("an unknown file format");
}

/// A lock for ITK's file libraries, some of which have global state.
std::mutex &library_lock() {
  static std::mutex lock;
  return lock;
}

void select_all(ImageIOBase &io) {
  itk::ImageIORegion region(io.GetNumberOfDimensions());
  for (unsigned axis = 0; axis < io.GetNumberOfDimensions(); ++axis) region.SetSize(axis, io.GetDimensions(axis));
  io.SetIORegion(region);
}

template <typename Stored, typename Voxel>
void read_as(ImageIOBase &io, Voxel *voxels) {
  if constexpr (std::is_same_v<Stored, Voxel>) {
    io.Read(voxels);
  } else {
    const auto count = size_t(io.GetImageSizeInComponents());
    // Smaller values go to the end of the voxels' memory, where none is overwritten before it is read.
    const bool fits = sizeof(Stored) <= sizeof(Voxel);
    std::vector<Stored> own(fits ? 0 : count);
    auto *stored = fits ? reinterpret_cast<char *>(voxels + count) - count * sizeof(Stored)
                        : reinterpret_cast<char *>(own.data());
    io.Read(stored);
    for (size_t index = 0; index < count; ++index) {
      Stored value;
      std::memcpy(&value, stored + index * sizeof(Stored), sizeof(Stored));
      voxels[index] = Voxel(value);
    }
  }
}

template <typename Voxel>
bool read(CITKFile *file, Voxel *voxels) {
  return citk::guard(false, [&] {
    std::lock_guard<std::mutex> lock(library_lock());
    auto &io = *file->io;
    select_all(io);
    switch (io.GetComponentType()) {
      case Component::UCHAR: read_as<unsigned char>(io, voxels); break;
      case Component::CHAR: read_as<signed char>(io, voxels); break;
      case Component::USHORT: read_as<unsigned short>(io, voxels); break;
      case Component::SHORT: read_as<short>(io, voxels); break;
      case Component::UINT: read_as<unsigned int>(io, voxels); break;
      case Component::INT: read_as<int>(io, voxels); break;
      case Component::ULONG: read_as<unsigned long>(io, voxels); break;
      case Component::LONG: read_as<long>(io, voxels); break;
      case Component::ULONGLONG: read_as<unsigned long long>(io, voxels); break;
      case Component::LONGLONG: read_as<long long>(io, voxels); break;
      case Component::FLOAT: read_as<float>(io, voxels); break;
      case Component::DOUBLE: read_as<double>(io, voxels); break;
      default: throw std::invalid_argument("a voxel type that ITK does not read");
    }
    return true;
  });
}

}  // namespace

const char *citk_error(void) { return cguard::last_error<citk::ITK>.c_str(); }

CITKFile *citk_file_open(const char *path, CITKFormat format, bool expands_palette) {
  return citk::guard<CITKFile *>(nullptr, [&] {
    std::lock_guard<std::mutex> lock(library_lock());
    auto io = make_io(format);
    io->SetExpandRGBPalette(expands_palette);
    if (!io->CanReadFile(path)) throw std::invalid_argument("its header is not that of its format");
    io->SetFileName(path);
    io->ReadImageInformation();
    return new CITKFile{io};
  });
}

void citk_file_free(CITKFile *file) { delete file; }

ptrdiff_t citk_file_dimension_count(const CITKFile *file) {
  return citk::guard<ptrdiff_t>(0, [&] { return ptrdiff_t(file->io->GetNumberOfDimensions()); });
}

ptrdiff_t citk_file_dimension(const CITKFile *file, ptrdiff_t axis) {
  return citk::guard<ptrdiff_t>(0, [&] { return ptrdiff_t(file->io->GetDimensions(unsigned(axis))); });
}

ptrdiff_t citk_file_components(const CITKFile *file) {
  return citk::guard<ptrdiff_t>(0, [&] { return ptrdiff_t(file->io->GetNumberOfComponents()); });
}

ptrdiff_t citk_file_component_bytes(const CITKFile *file) {
  return citk::guard<ptrdiff_t>(0, [&] { return ptrdiff_t(file->io->GetComponentSize()); });
}

bool citk_file_read_float(CITKFile *file, float *voxels) { return read(file, voxels); }
bool citk_file_read_double(CITKFile *file, double *voxels) { return read(file, voxels); }

bool citk_write_nifti(
    const char *path, CITKComponent component, ptrdiff_t dimensions, const ptrdiff_t *size, const double *frame,
    const void *voxels) {
  return citk::guard(false, [&] {
    auto io = make_io(CITKFormatNIfTI);
    io->SetFileName(path);
    io->SetNumberOfDimensions(unsigned(dimensions));
    io->SetNumberOfComponents(1);
    io->SetPixelType(itk::IOPixelEnum::SCALAR);
    io->SetComponentType(
        component == CITKComponentUInt8    ? Component::UCHAR
        : component == CITKComponentUInt16 ? Component::USHORT
        : component == CITKComponentInt16  ? Component::SHORT
                                           : Component::FLOAT);
    for (unsigned axis = 0; axis < unsigned(dimensions); ++axis) {
      std::vector<double> unit(size_t(dimensions), 0);
      if (axis < 3) {
        for (unsigned row = 0; row < 3; ++row) unit[row] = frame[6 + 3 * row + axis];
      } else {
        unit[axis] = 1;
      }
      io->SetDimensions(axis, itk::SizeValueType(size[axis]));
      io->SetSpacing(axis, axis < 3 ? frame[axis] : 1);
      io->SetOrigin(axis, axis < 3 ? frame[3 + axis] : 0);
      io->SetDirection(axis, unit);
    }
    select_all(*io);
    io->WriteImageInformation();
    io->Write(voxels);
    return true;
  });
}
