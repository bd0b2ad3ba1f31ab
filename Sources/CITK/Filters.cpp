#include "Support.h"

#include <itkIdentityTransform.h>
#include <itkLinearInterpolateImageFunction.h>
#include <itkNearestNeighborExtrapolateImageFunction.h>
#include <itkNearestNeighborInterpolateImageFunction.h>
#include <itkResampleImageFilter.h>
#include <itkSignedMaurerDistanceMapImageFilter.h>

#include <algorithm>

namespace {

template <typename Interpolator, typename Voxel>
bool resample(
    const Voxel *voxels, const ptrdiff_t *size, const double *frame, Voxel *output, const ptrdiff_t *output_size,
    const double *output_frame) {
  return citk::guard(false, [&] {
    using Image = itk::Image<Voxel, 3>;
    auto grid = citk::borrow(output, output_size, output_frame);
    auto filter = itk::ResampleImageFilter<Image, Image>::New();
    filter->SetInput(citk::borrow(voxels, size, frame));
    filter->SetOutputParametersFromImage(grid);
    filter->SetTransform(itk::IdentityTransform<double, 3>::New());
    filter->SetInterpolator(Interpolator::New());
    filter->SetExtrapolator(itk::NearestNeighborExtrapolateImageFunction<Image, double>::New());
    filter->Update();
    const auto region = grid->GetLargestPossibleRegion();
    std::copy_n(filter->GetOutput()->GetBufferPointer(), region.GetNumberOfPixels(), output);
    return true;
  });
}

}  // namespace

bool citk_resample_float(
    const float *voxels, const ptrdiff_t *size, const double *frame, bool linear, float *output,
    const ptrdiff_t *output_size, const double *output_frame) {
  using Image = itk::Image<float, 3>;
  using Linear = itk::LinearInterpolateImageFunction<Image, double>;
  using Nearest = itk::NearestNeighborInterpolateImageFunction<Image, double>;
  return linear ? resample<Linear>(voxels, size, frame, output, output_size, output_frame)
                : resample<Nearest>(voxels, size, frame, output, output_size, output_frame);
}

bool citk_resample_uint8(
    const uint8_t *voxels, const ptrdiff_t *size, const double *frame, uint8_t *output, const ptrdiff_t *output_size,
    const double *output_frame) {
  using Nearest = itk::NearestNeighborInterpolateImageFunction<itk::Image<uint8_t, 3>, double>;
  return resample<Nearest>(voxels, size, frame, output, output_size, output_frame);
}

bool citk_resample_uint16(
    const uint16_t *voxels, const ptrdiff_t *size, const double *frame, uint16_t *output,
    const ptrdiff_t *output_size, const double *output_frame) {
  using Nearest = itk::NearestNeighborInterpolateImageFunction<itk::Image<uint16_t, 3>, double>;
  return resample<Nearest>(voxels, size, frame, output, output_size, output_frame);
}

bool citk_squared_distance(const uint8_t *mask, const ptrdiff_t *size, const double *frame, double *output) {
  return citk::guard(false, [&] {
    using Mask = itk::Image<uint8_t, 3>;
    using Distance = itk::Image<double, 3>;
    auto filter = itk::SignedMaurerDistanceMapImageFilter<Mask, Distance>::New();
    filter->SetInput(citk::borrow(mask, size, frame));
    filter->SetBackgroundValue(0);
    filter->SquaredDistanceOn();
    filter->UseImageSpacingOn();
    filter->InsideIsPositiveOff();
    filter->Update();
    // ITK's distance is negative inside the mask, and unset without an outside. Here it is 0 inside.
    const auto *distance = filter->GetOutput()->GetBufferPointer();
    const auto count = filter->GetOutput()->GetLargestPossibleRegion().GetNumberOfPixels();
    std::transform(
        distance, distance + count, mask, output, [](double value, uint8_t inside) { return inside ? 0 : value; });
    return true;
  });
}
