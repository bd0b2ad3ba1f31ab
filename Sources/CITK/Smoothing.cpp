#include "Support.h"

#include <itkRecursiveGaussianImageFilter.h>
#include <itkZeroFluxNeumannPadImageFilter.h>

#include <algorithm>

bool citk_smooth(float *voxels, const ptrdiff_t *size, const double *frame, double sigma_mm) {
  (void)voxels; (void)size; (void)frame; (void)sigma_mm;
  return false;
}
