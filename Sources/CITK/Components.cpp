#include "Support.h"

#include <itkConnectedComponentImageFilter.h>

#include <algorithm>
#include <vector>

namespace {

// The component with the most voxels; of equals the one that comes first in raster order.
unsigned largest_component(const unsigned *components, size_t count) {
  std::vector<size_t> voxels(1, 0), first(1, 0);
  for (size_t index = 0; index < count; ++index) {
    const auto component = components[index];
    if (component >= voxels.size()) {
      voxels.resize(component + 1, 0);
      first.resize(component + 1, 0);
    }
    if (component != 0 && voxels[component]++ == 0) first[component] = index;
  }
  unsigned best = 0;
  for (unsigned component = 1; component < voxels.size(); ++component) {
    const bool earlier = voxels[component] == voxels[best] && first[component] < first[best];
    if (voxels[component] > voxels[best] || earlier) best = component;
  }
  return best;
}

}  // namespace

bool citk_keep_largest_components(uint8_t *labels, const ptrdiff_t *size) {
  return citk::guard(false, [&] {
    using Mask = itk::Image<uint8_t, 3>;
    using Components = itk::Image<unsigned, 3>;
    const size_t count = size_t(size[0]) * size_t(size[1]) * size_t(size[2]);
    bool present[256] = {};
    for (size_t index = 0; index < count; ++index) present[labels[index]] = true;
    std::vector<uint8_t> mask(count);
    for (unsigned label = 1; label < 256; ++label) {
      if (!present[label]) continue;
      std::transform(labels, labels + count, mask.begin(), [=](uint8_t voxel) { return uint8_t(voxel == label); });
      auto filter = itk::ConnectedComponentImageFilter<Mask, Components>::New();
      filter->SetInput(citk::borrow(mask.data(), size, citk::unit_frame));
      filter->FullyConnectedOn();
      filter->Update();
      const auto *components = filter->GetOutput()->GetBufferPointer();
      const auto best = largest_component(components, count);
      for (size_t index = 0; index < count; ++index)
        if (components[index] != 0 && components[index] != best) labels[index] = 0;
    }
    return true;
  });
}
