#include "Support.h"

#include <itkRecursiveGaussianImageFilter.h>

#include <algorithm>
#include <vector>

namespace {

/// The least length for ITK's recursive filter. It continues the edge values, so repeating them changes nothing else.
constexpr ptrdiff_t least_length = 4;

/// Repeats the last voxels of each axis that is too short. `size` becomes the padded size.
std::vector<float> padded(const float *voxels, ptrdiff_t *size) {
  const ptrdiff_t old[3] = {size[0], size[1], size[2]};
  for (int axis = 0; axis < 3; ++axis) size[axis] = std::max(size[axis], least_length);
  std::vector<float> result(size_t(size[0] * size[1] * size[2]));
  auto *next = result.data();
  for (ptrdiff_t z = 0; z < size[2]; ++z)
    for (ptrdiff_t y = 0; y < size[1]; ++y)
      for (ptrdiff_t x = 0; x < size[0]; ++x) {
        const auto row = std::min(z, old[2] - 1) * old[1] + std::min(y, old[1] - 1);
        *next++ = voxels[row * old[0] + std::min(x, old[0] - 1)];
      }
  return result;
}

}  // namespace

bool citk_smooth(float *voxels, const ptrdiff_t *size, const double *frame, double sigma_mm) {
  return citk::guard(false, [&] {
    using Image = itk::Image<float, 3>;
    ptrdiff_t grown[3] = {size[0], size[1], size[2]};
    auto work = padded(voxels, grown);
    auto image = citk::borrow(work.data(), grown, frame);
    for (unsigned axis = 0; axis < 3; ++axis) {
      auto filter = itk::RecursiveGaussianImageFilter<Image, Image>::New();
      filter->SetInput(image);
      filter->SetDirection(axis);
      filter->SetSigma(sigma_mm);
      filter->Update();
      image = filter->GetOutput();
      image->DisconnectPipeline();
    }
    const auto *smooth = image->GetBufferPointer();
    for (ptrdiff_t row = 0; row < size[1] * size[2]; ++row) {
      const auto *start = smooth + ((row / size[1]) * grown[1] + row % size[1]) * grown[0];
      std::copy_n(start, size[0], voxels + row * size[0]);
    }
    return true;
  });
}
