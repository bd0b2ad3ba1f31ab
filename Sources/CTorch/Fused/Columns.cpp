#include "Columns.h"

#include <ATen/ops/addmm.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/mm.h>
#include <algorithm>
#include "Tensors.h"

using at::Tensor;

namespace columns {

namespace {

/// The pixels of images or volumes, and the taps of a kernel.
struct Pixels {
  int64_t images, depth, height, width, channels;
  int64_t sides[3];  // of the kernel

  Pixels(const Tensor &x, int64_t depth, const Tensor &weight)
      : images(x.size(0)),
        depth(std::max<int64_t>(depth, 1)),
        height(x.size(2) / this->depth),
        width(x.size(3)),
        channels(x.size(1)),
        sides{weight.dim() == 5 ? weight.size(2) : 1, weight.size(-2), weight.size(-1)} {}

  int64_t count() const { return images * depth * height * width; }
  int64_t taps() const { return sides[0] * sides[1] * sides[2]; }

  /// Runs body(pixel, tap, other) for some pixels, where `other` lies under the tap, or is negative beyond the edges.
  ///
  /// With a `sign` of -1 the pixel lies under the tap of the other.
  template <typename Body>
  void visit(int64_t first, int64_t number, int64_t sign, const Body &body) const {
    for (int64_t pixel = first; pixel < first + number; pixel++) {
      int64_t x = pixel % width, y = pixel / width % height, z = pixel / width / height % depth, tap = 0;
      for (int64_t k = 0; k < sides[0]; k++)
        for (int64_t i = 0; i < sides[1]; i++)
          for (int64_t j = 0; j < sides[2]; j++, tap++) {
            int64_t dz = sign * (k - sides[0] / 2), dy = sign * (i - sides[1] / 2), dx = sign * (j - sides[2] / 2);
            bool inside = z + dz >= 0 && z + dz < depth && y + dy >= 0 && y + dy < height && x + dx >= 0 && x + dx < width;
            body(pixel, tap, inside ? pixel + (dz * height + dy) * width + dx : -1);
          }
    }
  }
};

/// The pixels under the kernel of each pixel, [pixels, taps · channels].
Tensor rows(const Tensor &x, const Pixels &pixels) {
  auto result = at::empty({pixels.count(), pixels.taps() * pixels.channels}, x.options());
  auto source = values<float>(x);
  auto target = mutable_values<float>(result);
  int64_t channels = pixels.channels, taps = pixels.taps();
  Tasks(pixels.count(), taps * channels).run([&](int64_t first, int64_t number, int64_t) {
    pixels.visit(first, number, 1, [&](int64_t pixel, int64_t tap, int64_t other) {
      float *place = target + (pixel * taps + tap) * channels;
      if (other >= 0) {
        std::copy_n(source + other * channels, channels, place);
      } else {
        std::fill_n(place, channels, 0.0f);
      }
    });
  });
  return result;
}

/// The weight [outputs, taps · inputs], a view of a channels-last one.
Tensor matrix(const Tensor &weight) {
  auto last = weight.dim() == 5 ? weight.permute({0, 2, 3, 4, 1}) : weight.permute({0, 2, 3, 1});
  return last.reshape({weight.size(0), -1});
}

/// The pixels of a channels-last tensor as rows, [pixels, channels].
Tensor flat(const Tensor &x) { return x.permute({0, 2, 3, 1}).reshape({-1, x.size(1)}); }

/// Undoes `flat`, for another number of channels.
Tensor shaped(const Tensor &flat, const Tensor &like) {
  return flat.view({like.size(0), like.size(2), like.size(3), flat.size(1)}).permute({0, 3, 1, 2});
}

}  // namespace

bool pay(const Tensor &x, const Tensor &weight) {
  int64_t pixels = x.size(0) * x.size(2) * x.size(3);
  return x.is_cpu() && pixels <= 256 && weight.size(0) * weight.size(1) >= 256 * 256;
}

Tensor convolve(const Tensor &x, int64_t depth, const Tensor &weight, const Tensor &bias) {
  return shaped(at::addmm(bias, rows(x, Pixels(x, depth, weight)), matrix(weight).t()), x);
}

Tensor input_gradient(const Tensor &dy, int64_t depth, const Tensor &weight) {
  auto by_rows = at::mm(flat(dy), matrix(weight));
  int64_t channels = weight.size(1);
  auto result = at::empty({by_rows.size(0), channels}, dy.options());
  auto source = values<float>(by_rows);
  auto target = mutable_values<float>(result);
  Pixels pixels(dy, depth, weight);
  int64_t taps = pixels.taps();
  Tasks(pixels.count(), taps * channels).run([&](int64_t first, int64_t number, int64_t) {
    std::fill_n(target + first * channels, number * channels, 0.0f);
    pixels.visit(first, number, -1, [&](int64_t pixel, int64_t tap, int64_t other) {
      if (other < 0) return;
      const float *part = source + (other * taps + tap) * channels;
      float *sum = target + pixel * channels;
      for (int64_t c = 0; c < channels; c++) sum[c] += part[c];
    });
  });
  return shaped(result, dy);
}

Tensor weight_gradient(const Tensor &x, int64_t depth, const Tensor &weight, const Tensor &dy) {
  auto sizes = weight.sizes();
  auto product = at::mm(flat(dy).t(), rows(x, Pixels(x, depth, weight)));
  return weight.dim() == 5 ? product.view({sizes[0], sizes[2], sizes[3], sizes[4], sizes[1]}).permute({0, 4, 1, 2, 3})
                           : product.view({sizes[0], sizes[2], sizes[3], sizes[1]}).permute({0, 3, 1, 2});
}

}  // namespace columns
