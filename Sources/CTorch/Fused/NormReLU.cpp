#include <ATen/TensorOperators.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/empty_like.h>
#include "NormReLU.h"

#include "../GPU/Operations.h"
#include "../GPU/Runtime.h"
#include "Tensors.h"

namespace {

at::TensorOptions reals(const at::Tensor &x) {
  return x.options().dtype(x.scalar_type() == at::kDouble ? at::kDouble : at::kFloat);
}

int64_t rows_of(const at::Tensor &x, const Sets &sets, int64_t run) {
  return sets.rows.empty() ? x.size(0) : sets.rows[run];
}

/// Pixels of one run of rows, the work of one task.
struct Part {
  int64_t first, count, run;
};

/// The pixels of x [N, C, H, W] as tasks, each within one run.
struct Pixels {
  int64_t channels, image;
  std::vector<Part> parts;

  explicit Pixels(const at::Tensor &x, const Sets &sets = {}) : channels(x.size(1)), image(x.size(2) * x.size(3)) {
    TORCH_CHECK(x.is_contiguous(channels_last), "a fused operation takes channels-last tensors only");
    TORCH_CHECK(channels % sets.channels == 0, channels, " channels in groups of ", sets.channels);
    int64_t first = 0;
    for (int64_t run = 0; run < sets.runs(); run++) {
      Tasks tasks(image * rows_of(x, sets, run), channels);
      for (int64_t task = 0; task < tasks.count; task++)
        parts.push_back({first + task * tasks.size, tasks.rows_of(task), run});
      first += tasks.rows;
    }
    TORCH_CHECK(first == image * x.size(0), "runs of other rows than the ", x.size(0), " there are");
  }

  /// The number of values when each part has one a channel.
  size_t sums() const { return parts.size() * channels; }

  /// Runs body(part, its index) for every part, on all threads.
  template <typename Body>
  void run(const Body &body) const {
    run_parallel(parts.size(), [&](int64_t index) { body(parts[index], index); });
  }

  /// Returns the map's values at a part.
  template <typename T>
  const T *at(const at::Tensor &map, const Part &part) const {
    return values<T>(map) + 2 * channels * (part.first % (map.size(0) * image));
  }

  /// Adds up the sums of each part, in order: [parts, C] -> [runs, C].
  template <typename R>
  std::vector<double> total(const std::vector<R> &sums, const Sets &sets) const {
    std::vector<double> result(sets.runs() * channels);
    for (size_t i = 0; i < parts.size(); i++)
      for (int64_t c = 0; c < channels; c++) result[parts[i].run * channels + c] += sums[i * channels + c];
    return result;
  }
};

/// Count, mean and sum of squared differences from it, which merge exactly (Chan, Golub & LeVeque 1979).
struct Moments {
  double count = 0, mean = 0, squares = 0;

  void add(const Moments &other) {
    double total = count + other.count, difference = other.mean - mean;
    mean += difference * other.count / total;
    squares += other.squares + difference * difference * count * other.count / total;
    count = total;
  }
};

/// Measures mean and variance [runs, C] of every set.
template <typename T>
void measure(const at::Tensor &x, const Sets &sets, const at::Tensor &mean, const at::Tensor &variance) {
  Pixels pixels(x, sets);
  int64_t channels = pixels.channels;
  std::vector<Real<T>> means(pixels.sums()), squares(means);
  auto moments = kernels<T>(channels).moments;
  pixels.run([&](const Part &part, int64_t i) {
    moments(values<T>(x) + part.first * channels, part.count, channels, &means[i * channels], &squares[i * channels]);
  });
  std::vector<Moments> all(sets.runs() * channels);
  for (size_t i = 0; i < pixels.parts.size(); i++)
    for (int64_t c = 0; c < channels; c++)
      all[pixels.parts[i].run * channels + c].add(
          {static_cast<double>(pixels.parts[i].count), means[i * channels + c], squares[i * channels + c]});
  for (size_t first = 0; first < all.size(); first += sets.channels) {
    Moments set = all[first];
    for (int64_t c = 1; c < sets.channels; c++) set.add(all[first + c]);
    std::fill_n(mutable_values<Real<T>>(mean) + first, sets.channels, set.mean);
    std::fill_n(mutable_values<Real<T>>(variance) + first, sets.channels, set.squares / set.count);
  }
}

/// Moves the running statistics towards mean and variance [runs, C] of x.
void update(const at::Tensor &x, const Norm &norm, const at::Tensor &mean, const at::Tensor &variance) {
  auto type = norm.running_mean.scalar_type();
  auto unbiased = variance.clone();
  for (int64_t run = 0; run < norm.sets.runs(); run++) {
    double count = rows_of(x, norm.sets, run) * x.size(2) * x.size(3);
    unbiased[run].mul_(count / (count - 1));
  }
  norm.running_mean.lerp_(mean.view_as(norm.running_mean).to(type), norm.momentum);
  norm.running_variance.lerp_(unbiased.view_as(norm.running_variance).to(type), norm.momentum);
}

/// The gradient through mean and variance, slope x + offset for each run and channel.
///
/// dx = scale g − Σ(scale g) / M − x̂ Σ(scale g x̂) / M, with sums over the M values of a set.
template <typename R>
struct ThroughStatistics {
  std::vector<R> slope, offset;

  /// Creates the gradient through fixed statistics, 0.
  explicit ThroughStatistics(size_t size) : slope(size), offset(size) {}

  /// The sums [runs, C] are of g and of g x̂.
  ThroughStatistics(const at::Tensor &x, const NormReLU &norm, const std::vector<double> &sum,
                    const std::vector<double> &sum_normalized)
      : slope(sum.size()), offset(sum.size()) {
    auto gain = values<R>(norm.scale), inverse = values<R>(norm.deviation), mean = values<R>(norm.mean);
    int64_t together = norm.sets.channels, channels = x.size(1);
    for (int64_t first = 0; first < static_cast<int64_t>(sum.size()); first += together) {
      double of_one = 0, of_normalized = 0;
      for (int64_t c = first; c < first + together; c++) {
        of_one += gain[c] * sum[c];
        of_normalized += gain[c] * sum_normalized[c];
      }
      double size = static_cast<double>(rows_of(x, norm.sets, first / channels) * x.size(2) * x.size(3) * together);
      double factor = -of_normalized * inverse[first] / size;
      std::fill_n(slope.begin() + first, together, factor);
      std::fill_n(offset.begin() + first, together, -of_one / size - factor * mean[first]);
    }
  }
};

}  // namespace

int64_t Sets::run_of(int64_t row) const {
  int64_t run = 0;
  while (run + 1 < runs() && row >= rows[run]) row -= rows[run++];
  return run;
}

at::Tensor channel_sums(const at::Tensor &x) {
  if (gpu::takes(x)) return gpu::channel_sums(x);
  auto result = at::empty({x.size(1)}, reals(x));
  with_type(x, [&](auto type) {
    using T = decltype(type);
    Pixels pixels(x);
    std::vector<Real<T>> parts(pixels.sums());
    auto sums = kernels<T>(pixels.channels).sums;
    pixels.run([&](const Part &part, int64_t i) {
      sums(values<T>(x) + part.first * pixels.channels, part.count, pixels.channels, &parts[i * pixels.channels]);
    });
    auto sum = pixels.total(parts, {});
    std::copy(sum.begin(), sum.end(), mutable_values<Real<T>>(result));
  });
  return result;
}

NormReLU::NormReLU(const at::Tensor &x, const Norm &norm) : sets(norm.sets) {
  if (gpu::takes(x)) {
    TORCH_CHECK(sets.runs() == 1 && sets.channels == 1, "GPU kernels normalize the whole batch and single channels only");
    gpu::statistics(x, norm, *this);
    return;
  }
  if (norm.training) {
    if (norm.batches.defined()) norm.batches.add_(1);
    mean = at::empty({sets.runs(), x.size(1)}, reals(x));
    auto variance = at::empty_like(mean);
    with_type(x, [&](auto type) { measure<decltype(type)>(x, sets, mean, variance); });
    if (norm.running_mean.defined()) update(x, norm, mean, variance);
    deviation = (variance + norm.epsilon).rsqrt();
  } else {
    mean = norm.running_mean.to(reals(x).dtype()).view({sets.runs(), x.size(1)});
    deviation = (norm.running_variance.to(reals(x).dtype()) + norm.epsilon).rsqrt().view_as(mean);
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
    Pixels pixels(x, sets);
    int64_t channels = pixels.channels;
    auto &loops = kernels<T>(channels);
    pixels.run([&](const Part &part, int64_t) {
      int64_t at = part.first * channels, of_run = part.run * channels;
      const T *source = values<T>(x) + at;
      T *result = mutable_values<T>(y) + at;
      if (map.defined()) {
        loops.region_relu(source, pixels.at<T>(map, part), part.count, channels, values<R>(scale) + of_run,
                          values<R>(shift) + of_run, result);
      } else {
        loops.scale_relu(source, part.count, channels, values<R>(scale) + of_run, values<R>(shift) + of_run, result);
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
  if (map.defined())
    result.map = at::empty({x.size(0), map.size(1), x.size(2), x.size(3)}, map.options(), channels_last);
  result.weight = at::empty_like(scale);
  result.bias = at::empty_like(scale);
  with_type(x, [&](auto type) {
    using T = decltype(type);
    using R = Real<T>;
    Pixels pixels(x, sets);
    int64_t channels = pixels.channels;
    auto &loops = kernels<T>(channels);
    // Σ g and Σ g x̂, where g is the gradient by the normalized values; a map multiplies it by 1 + γ.
    std::vector<R> first_sums(pixels.sums()), second_sums(first_sums);
    pixels.run([&](const Part &part, int64_t i) {
      int64_t at = part.first * channels, of_run = part.run * channels;
      const R *gain = values<R>(scale) + of_run, *offset = values<R>(shift) + of_run;
      R *one = &first_sums[i * channels], *two = &second_sums[i * channels];
      if (map.defined()) {
        loops.region_relu_sums(values<T>(x) + at, pixels.at<T>(map, part), values<T>(dy) + at, part.count, channels,
                               gain, offset, mutable_values<T>(result.map) + 2 * at, one, two);
      } else {
        loops.scale_relu_sums(values<T>(x) + at, values<T>(dy) + at, part.count, channels, gain, offset,
                              values<R>(mean) + of_run, one, two);
      }
    });
    auto sum = pixels.total(first_sums, sets), sum_normalized = pixels.total(second_sums, sets);
    if (!map.defined())
      for (size_t i = 0; i < sum.size(); i++) sum_normalized[i] *= values<R>(deviation)[i];
    std::copy(sum.begin(), sum.end(), mutable_values<R>(result.bias));
    std::copy(sum_normalized.begin(), sum_normalized.end(), mutable_values<R>(result.weight));
    auto through = training ? ThroughStatistics<R>(x, *this, sum, sum_normalized)
                            : ThroughStatistics<R>(sum.size());
    pixels.run([&](const Part &part, int64_t) {
      int64_t at = part.first * channels, of_run = part.run * channels;
      const R *gain = values<R>(scale) + of_run, *shifted = values<R>(shift) + of_run;
      const R *slope = &through.slope[of_run], *offset = &through.offset[of_run];
      T *dx = mutable_values<T>(result.x) + at;
      if (map.defined()) {
        loops.region_relu_input(values<T>(x) + at, pixels.at<T>(map, part), values<T>(dy) + at, part.count, channels,
                                gain, shifted, slope, offset, dx);
      } else {
        loops.scale_relu_input(values<T>(x) + at, values<T>(dy) + at, part.count, channels, gain, shifted, slope,
                               offset, dx);
      }
    });
  });
  if (map.defined() && map.size(0) < x.size(0))
    result.map = result.map.unflatten(0, {sets.runs(), map.size(0)}).sum(0);
  return result;
}
