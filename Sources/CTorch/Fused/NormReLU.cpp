#include <ATen/TensorOperators.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/empty_like.h>
#include "NormReLU.h"

#include "../GPU/Operations.h"
#include "../GPU/Runtime.h"
#include "Tensors.h"

namespace {

/// Returns tasks over the pixels of x [N, C, H, W].
Tasks tasks(const at::Tensor &x) {
  TORCH_CHECK(x.is_contiguous(channels_last), "a fused operation takes channels-last tensors only");
  return Tasks(x.numel() / x.size(1), x.size(1));
}

at::Tensor empty_channels(const at::Tensor &x) {
  return at::empty({x.size(1)}, x.options().dtype(x.scalar_type() == at::kDouble ? at::kDouble : at::kFloat));
}

/// Measures mean and variance. The tasks' moments are merged exactly (Chan, Golub & LeVeque 1979).
template <typename T>
void measure(const at::Tensor &x, const at::Tensor &mean, const at::Tensor &variance) {
  auto pixels = tasks(x);
  int64_t channels = x.size(1);
  std::vector<Real<T>> means(pixels.count * channels), squares(means);
  auto moments = kernels<T>(channels).moments;
  pixels.run([&](int64_t first, int64_t count, int64_t task) {
    moments(values<T>(x) + first * channels, count, channels, &means[task * channels], &squares[task * channels]);
  });
  for (int64_t c = 0; c < channels; c++) {
    double joined = 0, square = 0, total = 0;
    for (int64_t task = 0; task < pixels.count; task++) {
      double count = pixels.rows_of(task);
      double difference = means[task * channels + c] - joined;
      joined += difference * count / (total + count);
      square += squares[task * channels + c] + difference * difference * total * count / (total + count);
      total += count;
    }
    mutable_values<Real<T>>(mean)[c] = joined;
    mutable_values<Real<T>>(variance)[c] = square / total;
  }
}

}  // namespace

at::Tensor channel_sums(const at::Tensor &x) {
  if (gpu::takes(x)) return gpu::channel_sums(x);
  auto result = empty_channels(x);
  with_type(x, [&](auto type) {
    using T = decltype(type);
    auto pixels = tasks(x);
    int64_t channels = x.size(1);
    std::vector<Real<T>> parts(pixels.count * channels);
    auto sums = kernels<T>(channels).sums;
    pixels.run([&](int64_t first, int64_t count, int64_t task) {
      sums(values<T>(x) + first * channels, count, channels, &parts[task * channels]);
    });
    auto sum = total(parts, channels);
    std::copy(sum.begin(), sum.end(), mutable_values<Real<T>>(result));
  });
  return result;
}

NormReLU::NormReLU(const at::Tensor &x, const Norm &norm) {
  if (gpu::takes(x)) {
    gpu::statistics(x, norm, *this);
    return;
  }
  if (norm.training) {
    if (norm.batches.defined()) norm.batches.add_(1);
    mean = empty_channels(x);
    auto variance = at::empty_like(mean);
    with_type(x, [&](auto type) { measure<decltype(type)>(x, mean, variance); });
    double count = x.numel() / x.size(1);
    norm.running_mean.lerp_(mean.to(norm.running_mean.scalar_type()), norm.momentum);
    norm.running_variance.lerp_((variance * (count / (count - 1))).to(norm.running_variance.scalar_type()), norm.momentum);
    deviation = (variance + norm.epsilon).rsqrt();
  } else {
    auto type = empty_channels(x).scalar_type();
    mean = norm.running_mean.to(type);
    deviation = (norm.running_variance.to(type) + norm.epsilon).rsqrt();
  }
  scale = norm.weight.defined() ? deviation * norm.weight : deviation;
  shift = norm.bias.defined() ? norm.bias - mean * scale : -mean * scale;
}

at::Tensor NormReLU::output(const at::Tensor &x, const at::Tensor &map) const {
  if (gpu::takes(x)) return gpu::norm_relu(*this, x, map);
  auto y = at::empty_like(x);
  with_type(x, [&](auto type) {
    using T = decltype(type);
    using R = Real<T>;
    auto pixels = tasks(x);
    int64_t channels = x.size(1);
    auto &loops = kernels<T>(channels);
    pixels.run([&](int64_t first, int64_t count, int64_t) {
      const T *part = values<T>(x) + first * channels;
      T *result = mutable_values<T>(y) + first * channels;
      if (map.defined()) {
        loops.region_relu(part, values<T>(map) + 2 * first * channels, count, channels, values<R>(scale),
                          values<R>(shift), result);
      } else {
        loops.scale_relu(part, count, channels, values<R>(scale), values<R>(shift), result);
      }
    });
  });
  return y;
}

NormReLU::Gradients NormReLU::gradients(const at::Tensor &x, const at::Tensor &map, const at::Tensor &dy,
                                        bool training) const {
  if (gpu::takes(x)) return gpu::gradients(*this, x, map, dy, training);
  Gradients result;
  result.x = at::empty_like(x);
  if (map.defined()) result.map = at::empty_like(map);
  result.weight = at::empty_like(scale);
  result.bias = at::empty_like(scale);
  with_type(x, [&](auto type) {
    using T = decltype(type);
    using R = Real<T>;
    auto pixels = tasks(x);
    int64_t channels = x.size(1);
    auto &loops = kernels<T>(channels);
    // Σ g and Σ g x̂, where g is the gradient by the normalized values; a map multiplies it by 1 + γ.
    std::vector<R> first_sums(pixels.count * channels), second_sums(first_sums);
    pixels.run([&](int64_t first, int64_t count, int64_t task) {
      int64_t at = first * channels;
      R *one = &first_sums[task * channels], *two = &second_sums[task * channels];
      if (map.defined()) {
        loops.region_relu_sums(values<T>(x) + at, values<T>(map) + 2 * at, values<T>(dy) + at, count, channels,
                               values<R>(scale), values<R>(shift), mutable_values<T>(result.map) + 2 * at, one, two);
      } else {
        loops.scale_relu_sums(values<T>(x) + at, values<T>(dy) + at, count, channels, values<R>(scale),
                              values<R>(shift), values<R>(mean), one, two);
      }
    });
    auto sum = total(first_sums, channels), sum_normalized = total(second_sums, channels);
    // dx = scale (g − Σg / M − x̂ Σ(g x̂) / M) equals scale g + slope x + offset.
    std::vector<R> slope(channels), offset(channels);
    for (int64_t c = 0; c < channels; c++) {
      double inverse = values<R>(deviation)[c], center = values<R>(mean)[c], gain = values<R>(scale)[c];
      if (!map.defined()) sum_normalized[c] *= inverse;
      mutable_values<R>(result.weight)[c] = sum_normalized[c];
      mutable_values<R>(result.bias)[c] = sum[c];
      double size = training ? pixels.rows : INFINITY;
      slope[c] = -gain * inverse * sum_normalized[c] / size;
      offset[c] = -gain * sum[c] / size + gain * inverse * center * sum_normalized[c] / size;
    }
    pixels.run([&](int64_t first, int64_t count, int64_t) {
      int64_t at = first * channels;
      T *dx = mutable_values<T>(result.x) + at;
      if (map.defined()) {
        loops.region_relu_input(values<T>(x) + at, values<T>(map) + 2 * at, values<T>(dy) + at, count, channels,
                                values<R>(scale), values<R>(shift), slope.data(), offset.data(), dx);
      } else {
        loops.scale_relu_input(values<T>(x) + at, values<T>(dy) + at, count, channels, values<R>(scale),
                               values<R>(shift), slope.data(), offset.data(), dx);
      }
    });
  });
  return result;
}
