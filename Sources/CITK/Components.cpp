#include "Support.h"

#include <itkConnectedComponentImageFilter.h>

#include <algorithm>
#include <array>
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

// Where a label lies, so that memory and time are its own extent's and not the volume's.
struct Box {
  ptrdiff_t low[3] = {PTRDIFF_MAX, PTRDIFF_MAX, PTRDIFF_MAX}, end[3] = {0, 0, 0};

  bool is_empty() const { return end[0] == 0; }
  ptrdiff_t size(int axis) const { return end[axis] - low[axis]; }

  void add(const ptrdiff_t (&voxel)[3]) {
    for (int axis = 0; axis < 3; ++axis) {
      low[axis] = std::min(low[axis], voxel[axis]);
      end[axis] = std::max(end[axis], voxel[axis] + 1);
    }
  }
};

std::array<Box, 256> boxes(const uint8_t *labels, const ptrdiff_t *size) {
  std::array<Box, 256> result;
  for (ptrdiff_t z = 0; z < size[2]; ++z)
    for (ptrdiff_t y = 0; y < size[1]; ++y)
      for (ptrdiff_t x = 0; x < size[0]; ++x, ++labels)
        if (*labels != 0) result[*labels].add({x, y, z});
  return result;
}

}  // namespace

bool citk_keep_largest_components(uint8_t *labels, const ptrdiff_t *size) {
  return citk::guard(false, [&] {
    using Mask = itk::Image<uint8_t, 3>;
    using Components = itk::Image<unsigned, 3>;
    const auto of_label = boxes(labels, size);
    for (unsigned label = 1; label < 256; ++label) {
      const auto &box = of_label[label];
      if (box.is_empty()) continue;
      const ptrdiff_t extent[] = {box.size(0), box.size(1), box.size(2)};
      const size_t count = size_t(extent[0]) * size_t(extent[1]) * size_t(extent[2]);
      // Calls body(voxel of the volume, its place in the box), row by row.
      const auto in_box = [&](auto body) {
        size_t place = 0;
        for (ptrdiff_t z = box.low[2]; z < box.end[2]; ++z)
          for (ptrdiff_t y = box.low[1]; y < box.end[1]; ++y) {
            auto *row = labels + (z * size[1] + y) * size[0] + box.low[0];
            for (ptrdiff_t x = 0; x < extent[0]; ++x) body(row[x], place++);
          }
      };
      std::vector<uint8_t> mask(count);
      in_box([&](uint8_t voxel, size_t place) { mask[place] = voxel == label; });
      auto filter = itk::ConnectedComponentImageFilter<Mask, Components>::New();
      filter->SetInput(citk::borrow(mask.data(), extent, citk::unit_frame));
      filter->FullyConnectedOn();
      filter->Update();
      const auto *components = filter->GetOutput()->GetBufferPointer();
      const auto best = largest_component(components, count);
      in_box([&](uint8_t &voxel, size_t place) {
        if (components[place] != 0 && components[place] != best) voxel = 0;
      });
    }
    return true;
  });
}
