#include <ATen/ops/empty.h>
#include <ATen/ops/empty_like.h>
#include <ATen/ops/zeros_like.h>
#include "Operations.h"

#include "Runtime.h"

using at::Tensor;

namespace {

at::ScalarType real_type(const Tensor &x) { return x.scalar_type() == at::kDouble ? at::kDouble : at::kFloat; }

Tensor reals(const Tensor &x, at::IntArrayRef sizes) { return at::empty(sizes, x.options().dtype(real_type(x))); }

/// The launch of a kernel of Norm.cu over x: blocks over pixels, and over channels beyond one row of threads.
struct Walk {
  gpu::Program program{gpu::Source::norm, at::kFloat};
  int64_t pixels;
  int channels;
  gpu::Blocks blocks;

  /// `share` is the number of blocks per multiprocessor. Fewer blocks leave fewer sums to add up.
  Walk(const Tensor &x, int share) : pixels(x.numel() / x.size(1)), channels(static_cast<int>(x.size(1))) {
    TORCH_CHECK(x.is_contiguous(at::MemoryFormat::ChannelsLast), "a fused operation takes channels-last tensors only");
    TORCH_CHECK(x.is_floating_point() && x.scalar_type() != at::kHalf, "no fused operation takes ", x.scalar_type());
    program.stored = x.scalar_type();
    int widest = static_cast<int>(16 / x.element_size());
    // Wide reads need aligned addresses. Only views into a single pixel are not aligned.
    program.values = channels % widest == 0 && pixels > 1 ? widest : 1;
    int64_t threads = gpu::threads(x), lanes = std::min<int64_t>(channels / program.values, threads);
    blocks.y = (channels / program.values + lanes - 1) / lanes;
    blocks.x = gpu::fitting_blocks(x, pixels, 2 * (threads / lanes), share);
  }

  int count() const { return static_cast<int>(blocks.x); }
  gpu::Blocks of_channels() const { return {(channels + 7) / 8}; }
};

constexpr int adding = 4, changing = 8;  // blocks per multiprocessor

}  // namespace

Tensor gpu::channel_sums(const Tensor &x) {
  Walk walk(x, adding);
  auto parts = reals(x, {walk.blocks.x, x.size(1)}), result = reals(x, {x.size(1)});
  launch(x, walk.program, "channel_sums", walk.blocks, x, walk.pixels, walk.channels, parts);
  launch(x, walk.program, "total_sums", walk.of_channels(), parts, walk.count(), walk.channels, result);
  return result;
}

void gpu::statistics(const Tensor &x, const Norm &norm, NormReLU &step) {
  Walk walk(x, adding);
  TORCH_CHECK(norm.running_mean.scalar_type() == real_type(x) && norm.running_variance.scalar_type() == real_type(x) &&
                  (!norm.weight.defined() || norm.weight.scalar_type() == real_type(x)),
              "a norm of another type than ", real_type(x));
  Tensor means, squares;
  if (norm.training) {
    means = reals(x, {walk.blocks.x, x.size(1)});
    squares = at::empty_like(means);
    launch(x, walk.program, "moments", walk.blocks, x, walk.pixels, walk.channels, means, squares);
  }
  for (auto *result : {&step.mean, &step.deviation, &step.scale, &step.shift}) *result = reals(x, {x.size(1)});
  launch(x, walk.program, "statistics", walk.of_channels(), means, squares, walk.count(), walk.pixels, walk.channels,
         norm.weight, norm.bias, norm.running_mean, norm.running_variance, norm.batches, static_cast<int>(norm.training), norm.momentum,
         norm.epsilon, step.mean, step.deviation, step.scale, step.shift);
}

Tensor gpu::norm_relu(const NormReLU &step, const Tensor &x, const Tensor &map) {
  Walk walk(x, changing);
  auto y = at::empty_like(x);
  if (map.defined()) {
    launch(x, walk.program, "region_relu", walk.blocks, x, map, walk.pixels, walk.channels, step.scale, step.shift, y);
  } else {
    launch(x, walk.program, "scale_relu", walk.blocks, x, walk.pixels, walk.channels, step.scale, step.shift, y);
  }
  return y;
}

NormReLU::Gradients gpu::gradients(const NormReLU &step, const Tensor &x, const Tensor &map, const Tensor &dy,
                                   bool training) {
  Walk sums(x, adding), walk(x, changing);
  NormReLU::Gradients result;
  auto first = reals(x, {sums.blocks.x, x.size(1)}), second = at::empty_like(first);
  if (map.defined()) {
    result.map = at::empty_like(map);
    launch(x, sums.program, "region_relu_sums", sums.blocks, x, map, dy, sums.pixels, sums.channels, step.scale,
           step.shift, result.map, first, second);
  } else {
    launch(x, sums.program, "scale_relu_sums", sums.blocks, x, dy, sums.pixels, sums.channels, step.scale, step.shift,
           step.mean, first, second);
  }
  Tensor slope, offset;
  for (auto *vector : {&result.weight, &result.bias, &slope, &offset}) *vector = at::empty_like(step.scale);
  double size = training ? static_cast<double>(sums.pixels) : INFINITY;
  launch(x, sums.program, "total_gradients", sums.of_channels(), first, second, sums.count(), sums.channels, step.mean,
         step.deviation, step.scale, static_cast<int>(map.defined()), size, result.weight, result.bias, slope, offset);
  result.x = at::empty_like(x);
  if (map.defined()) {
    launch(x, walk.program, "region_relu_input", walk.blocks, x, map, dy, walk.pixels, walk.channels, step.scale,
           step.shift, slope, offset, result.x);
  } else {
    launch(x, walk.program, "scale_relu_input", walk.blocks, x, dy, walk.pixels, walk.channels, step.scale, step.shift,
           slope, offset, result.x);
  }
  return result;
}

void gpu::add_bias(const Tensor &y, const Tensor &bias, const Tensor &residual) {
  Walk walk(y, changing);
  TORCH_CHECK(bias.scalar_type() == real_type(y), "a bias of another type than ", real_type(y));
  launch(y, walk.program, "add_bias", walk.blocks, y, walk.pixels, walk.channels, bias, residual);
}

Tensor gpu::pool(const Tensor &x) {
  auto y = at::empty({x.size(0), x.size(1), x.size(2) / 2, x.size(3) / 2}, x.options(), at::MemoryFormat::ChannelsLast);
  Walk walk(y, changing);
  launch(x, walk.program, "pool", walk.blocks, x, walk.pixels, walk.channels, static_cast<int>(x.size(2)),
         static_cast<int>(x.size(3)), y);
  return y;
}

Tensor gpu::pool_gradient(const Tensor &x, const Tensor &dy) {
  bool exact = x.size(2) % 2 == 0 && x.size(3) % 2 == 0;
  auto dx = exact ? at::empty_like(x) : at::zeros_like(x);
  Walk walk(dy, changing);
  launch(x, walk.program, "pool_input", walk.blocks, x, dy, walk.pixels, walk.channels, static_cast<int>(x.size(2)),
         static_cast<int>(x.size(3)), dx);
  return dx;
}

/// Returns the program and blocks of a kernel of ClassSums.cu, which goes over the pixels of each image.
static std::pair<gpu::Program, gpu::Blocks> class_walk(const Tensor &logits, int share) {
  gpu::Program program{gpu::Source::class_sums, logits.scalar_type()};
  program.classes = static_cast<int>(logits.size(1));
  int64_t images = logits.size(0), pixels = logits.size(2) * logits.size(3);
  int64_t all = gpu::fitting_blocks(logits, images * pixels, 4 * gpu::threads(logits), share);
  return {program, {(all + images - 1) / images, images}};
}

Tensor gpu::class_sums(const Tensor &logits, const Tensor &labels, double least) {
  constexpr int64_t sums = 8;
  auto [program, blocks] = class_walk(logits, 2);
  int64_t images = logits.size(0), classes = logits.size(1), pixels = labels.numel() / images;
  auto parts = reals(logits, {images, blocks.x, classes, sums}), result = reals(logits, {images, classes, sums});
  launch(logits, program, "class_sums", blocks, logits, labels, pixels, least, parts);
  launch(logits, program, "class_totals", {(result.numel() + threads(logits) - 1) / threads(logits)}, parts, static_cast<int>(images),
         static_cast<int>(blocks.x), result);
  return result;
}

Tensor gpu::class_gradient(const Tensor &logits, const Tensor &labels, const Tensor &d, double least) {
  auto [program, blocks] = class_walk(logits, changing);
  auto result = at::empty_like(logits);
  launch(logits, program, "class_gradient", blocks, logits, labels, labels.numel() / logits.size(0), least, d, result);
  return result;
}
