// Shared by the C functions: the guard, and views of Swift's memory as ITK images.
#pragma once

#include "ITKCompiler.h"

#include <itkImage.h>

#include <exception>
#include <string>

#include "CGuard.h"
#include "CITK.h"

namespace citk {

/// Keeps ITK, VNL and MetaIO from writing lines of their own while it lives, on any thread.
///
/// A failure throws as well and becomes a sentence.
class Silence {
 public:
  Silence();
  ~Silence();
  Silence(const Silence &) = delete;
  Silence &operator=(const Silence &) = delete;
};

struct ITK {
  using Scope = Silence;

  static std::string message(const std::exception &error) {
    const auto *own = dynamic_cast<const itk::ExceptionObject *>(&error);
    return own ? own->GetDescription() : error.what();
  }
};

/// Runs `body`. A failure becomes `failure` and the message of citk_error.
template <typename Result, typename Body>
Result guard(Result failure, Body &&body) noexcept {
  return cguard::run<ITK>(failure, body);
}

/// Makes an ITK image over memory that the caller owns.
template <typename Voxel>
typename itk::Image<Voxel, 3>::Pointer borrow(const Voxel *voxels, const ptrdiff_t *size, const double *frame) {
  using Image = itk::Image<Voxel, 3>;
  typename Image::RegionType region;
  typename Image::SpacingType spacing;
  typename Image::PointType origin;
  typename Image::DirectionType direction;
  for (unsigned axis = 0; axis < 3; ++axis) {
    region.SetSize(axis, itk::SizeValueType(size[axis]));
    spacing[axis] = frame[axis];
    origin[axis] = frame[3 + axis];
    for (unsigned column = 0; column < 3; ++column) direction(axis, column) = frame[6 + 3 * axis + column];
  }
  auto image = Image::New();
  image->SetRegions(region);
  image->SetSpacing(spacing);
  image->SetOrigin(origin);
  image->SetDirection(direction);
  image->GetPixelContainer()->SetImportPointer(const_cast<Voxel *>(voxels), region.GetNumberOfPixels(), false);
  return image;
}

constexpr double unit_frame[15] = {1, 1, 1, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 1};

}  // namespace citk
