#include "Winograd.h"

#include <ATen/ops/empty.h>
#include <ATen/Parallel.h>
#include <atomic>
#include "Processor.h"
#include "Tensors.h"
#include "WinogradKernels.h"

using at::Tensor;

namespace winograd {

namespace {

/// Floats per thread, which fit the second-level cache beside the weights.
constexpr int64_t cached = 3 << 16;
/// Least number of tiles for one read of the weights.
constexpr int64_t fewest_tiles = 48;
/// Least number of outputs for one transformation of the input, in the gradient by the weight.
constexpr int64_t fewest_columns = 64;

at::TensorOptions floats() { return at::TensorOptions(at::kFloat); }

template <typename T>
WinogradImage<T> image(const Tensor &x, int64_t index, const NormReLU *norm = nullptr, const Tensor &map = {}) {
  int64_t pixels = x.size(2) * x.size(3), channels = x.size(1);
  WinogradImage<T> result{values<T>(x) + index * pixels * channels, x.size(2), x.size(3), channels};
  if (norm) {
    result.scale = values<float>(norm->scale) + norm->sets.run_of(index) * channels;
    result.shift = values<float>(norm->shift) + norm->sets.run_of(index) * channels;
    if (map.defined()) result.map = values<T>(map) + 2 * (index % map.size(0)) * pixels * channels;
  }
  return result;
}

/// Blocks of the tiles of a batch. A thread works on one block at once.
struct Blocks {
  int64_t images, tiles, size;

  Blocks(const Tensor &x, int64_t channels)
      : images(x.size(0)),
        tiles(image<float>(x, 0).tiles()),
        size(std::max(fewest_tiles, cached / (winograd_points * channels))) {}

  /// Chooses a size of whole `unit`s that gives every thread as many blocks.
  void share(int64_t unit) {
    int64_t threads = at::get_num_threads(), shares = (count() + threads - 1) / threads * threads;
    int64_t wanted = (images * tiles + shares - 1) / shares;
    size = (wanted + unit - 1) / unit * unit;
  }

  int64_t count() const { return (images * tiles + size - 1) / size; }
  int64_t size_of(int64_t block) const { return std::min(size, images * tiles - block * size); }

  struct Place {
    int64_t image, tile;
  };
  /// Returns the place of a block's tile i.
  Place place(int64_t block, int64_t i) const { return {(block * size + i) / tiles, (block * size + i) % tiles}; }
};

/// Room for the points of a block. Factors of every type are as large as a float.
struct Room {
  int64_t columns, spacing, floats;

  /// Spaces rows of points so that they start in different sets of the cache.
  Room(int64_t rows, int64_t columns)
      : columns(columns), spacing(rows * columns + 16), floats(spacing * winograd_points) {}

  template <typename E = float>
  WinogradPoints<E> take(float *&from) const {
    return {reinterpret_cast<E *>(std::exchange(from, from + floats)), columns, spacing};
  }
};

/// Runs body(task, floats) for every task, each thread with `size` floats of its own.
template <typename Body>
void run_with_floats(int64_t tasks, int64_t size, const Body &body) {
  int64_t workers = std::min<int64_t>(tasks, at::get_num_threads());
  auto all = at::empty({workers * size}, floats());
  std::atomic<int64_t> next = 0;
  run_parallel(workers, [&](int64_t worker) {
    for (int64_t task = next++; task < tasks; task = next++) body(task, mutable_values<float>(all) + worker * size);
  });
}

/// The split of matrix products with `inputs` and `outputs` channels.
template <typename T>
struct Cut {
  const WinogradKernels<T> &loops;
  int64_t vectors, columns, rows;  // per call of `product`; columns = vectors · lanes

  Cut(int64_t inputs, int64_t outputs) : loops(*winograd_kernels<T>(inputs, outputs)) {
    vectors = loops.sums >= 16 ? 4 : 2;
    while (outputs % (vectors * loops.lanes) != 0) vectors /= 2;
    columns = vectors * loops.lanes;
    rows = loops.sums / vectors;
  }

  /// Transforms a block of the input's tiles to points.
  template <typename E>
  void transform(const ConvolutionInput &input, const Blocks &blocks, int64_t block,
                 const WinogradPoints<E> &points) const {
    auto transform = loops.template factors<E>().input;
    for (int64_t i = 0; i < blocks.size_of(block); i++) {
      auto [index, tile] = blocks.place(block, i);
      transform(image<T>(input.a, index, input.norm, input.map), tile, points.at(0, i), points.spacing);
      if (input.b.defined())
        transform(image<T>(input.b, index), tile, points.at(0, i) + input.a.size(1) / inputs_of<E>, points.spacing);
    }
  }
};

/// Convolves the input with `taps` by factors of type E, into the channels of y and then those of y2.
template <typename T, typename E>
void run(const ConvolutionInput &input, const WinogradTaps &taps, const Tensor &bias, const Tensor &residual,
         const Tensor &y, const Tensor &y2) {
  int64_t rows = taps.inputs / inputs_of<E>, outputs = taps.outputs;
  Cut<T> cut(taps.inputs, outputs);
  auto &factors = cut.loops.template factors<E>();
  auto room = at::empty({winograd_points * rows * outputs}, floats());
  auto weights = reinterpret_cast<E *>(mutable_values<float>(room));
  Tasks(rows, winograd_points * outputs).run([&](int64_t first, int64_t count, int64_t) {
    factors.weight(taps, first, first + count, cut.columns, weights);
  });
  auto multiply = [&](const WinogradPoints<E> &x, int64_t tiles, const WinogradPoints<float> &y) {
    for (int64_t point = 0; point < winograd_points; point++)
      for (int64_t out = 0; out < outputs; out += cut.columns) {
        const E *right = weights + (point * outputs + out) * rows;
        for (int64_t row = 0; row < tiles; row += cut.rows)
          factors.product(cut.vectors, x.at(point, row), rows, 1, right, cut.columns, rows, y.at(point, row) + out,
                          outputs, false);
      }
  };
  auto write = [&](const WinogradPoints<float> &points, int64_t row, Blocks::Place place) {
    float *source = points.at(0, row);
    for (auto &target : {y, y2}) {
      if (!target.defined()) continue;
      auto shape = image<T>(target, place.image);
      auto offset = shape.values - values<T>(target);
      cut.loops.output(source, points.spacing, values<float>(bias),
                       residual.defined() ? values<T>(residual) + offset : nullptr, shape, place.tile,
                       mutable_values<T>(target) + offset);
      source += target.size(1);
    }
  };
  Blocks blocks(input.a, rows + outputs);
  blocks.share(cut.rows);
  Room x_room(blocks.size, rows), y_room(blocks.size, outputs);
  run_with_floats(blocks.count(), x_room.floats + y_room.floats, [&](int64_t block, float *free) {
    auto x = x_room.take<E>(free);
    auto y = y_room.take(free);
    int64_t tiles = blocks.size_of(block), padded = (tiles + cut.rows - 1) / cut.rows * cut.rows;
    cut.transform(input, blocks, block, x);
    for (int64_t point = 0; point < winograd_points; point++)
      std::fill(x.at(point, tiles), x.at(point, padded), E{});
    multiply(x, padded, y);
    for (int64_t i = 0; i < tiles; i++) write(y, i, blocks.place(block, i));
  });
}

/// Computes the gradient by the weight, Gᵀ (Σ x̃ ⊗ ỹ) G over the tiles, with x̃ = Bᵀ x B and ỹ = A dy Aᵀ.
///
/// Tasks split the tiles, and with many channels also the outputs. Neither their number nor the sums depend on the threads.
template <typename T>
void run_gradient(const ConvolutionInput &input, const Tensor &dy, const Tensor &result) {
  int64_t inputs = input.channels(), outputs = dy.size(1);
  Cut<T> cut(outputs, inputs);
  auto &factors = cut.loops.floats;
  int64_t columns = outputs;  // per task
  while (columns % (2 * fewest_columns) == 0 && winograd_points * inputs * columns > cached / 2) columns /= 2;
  int64_t groups = outputs / columns;
  Blocks blocks(dy, inputs + columns);
  int64_t parts = std::clamp<int64_t>(32 / groups, 1, blocks.count());
  auto sums = at::empty({parts, outputs, 9, inputs}, floats());
  Room x_room(blocks.size, inputs), dy_room(blocks.size, columns), sum_room(columns, inputs);
  run_with_floats(parts * groups, x_room.floats + dy_room.floats + sum_room.floats, [&](int64_t task, float *free) {
    int64_t first_output = task % groups * columns, part = task / groups;
    auto x = x_room.take(free), y = dy_room.take(free), sum = sum_room.take(free);
    std::fill_n(sum.values, sum_room.floats, 0.0f);
    for (int64_t block = part; block < blocks.count(); block += parts) {
      int64_t tiles = blocks.size_of(block);
      cut.transform(input, blocks, block, x);
      for (int64_t i = 0; i < tiles; i++) {
        auto [index, tile] = blocks.place(block, i);
        auto source = image<T>(dy, index);
        source.values += first_output;
        source.channels = columns;
        cut.loops.outer(source, tile, y.at(0, i), y.spacing);
      }
      for (int64_t point = 0; point < winograd_points; point++)
        for (int64_t row = 0; row < columns; row += cut.rows)
          for (int64_t column = 0; column < inputs; column += cut.columns)
            factors.product(cut.vectors, y.at(point, 0) + row, 1, columns, x.at(point, 0) + column, inputs, tiles,
                              sum.at(point, row) + column, inputs, true);
    }
    for (int64_t out = 0; out < columns; out++)
      cut.loops.taps(sum.at(0, out), sum.spacing, inputs,
                     mutable_values<float>(sums) + (part * outputs + first_output + out) * 9 * inputs);
  });
  // [outputs, 3, 3, inputs] in memory is a channels-last weight.
  result.copy_(sums.sum(0).view({outputs, 3, 3, inputs}).permute({0, 3, 1, 2}));
}

template <typename T>
bool has_loops(int64_t inputs, int64_t outputs, int64_t first) {
  auto loops = winograd_kernels<T>(inputs, outputs);
  return loops && first % loops->lanes == 0;
}

/// Returns the least speed-up over LibTorch on whole tiles. Measured on an EPYC of 2023.
///
/// In bfloat16 LibTorch multiplied pairs there. Processors with tiles multiply several times as fast.
double advantage(at::ScalarType type, int64_t products) {
  static const bool has_tiles = processor::has_bfloat16_tiles();
  return type == at::kFloat ? 1.7 : has_tiles ? 0 : products >= 512 ? 1.25 : 1.05;
}

bool has_loops(const Tensor &x, int64_t inputs, int64_t outputs, int64_t first) {
  switch (x.scalar_type()) {
    case at::kFloat: return has_loops<float>(inputs, outputs, first);
    case at::kBFloat16: return has_loops<BFloat16>(inputs, outputs, first);
    default: return false;
  }
}

/// Returns the least number of tiles. With fewer the weights' transformation takes longest.
///
/// Single precision was measured without AVX-512, bfloat16 with it.
int64_t fewest_tiles_of(const Tensor &x, bool transforms_weights) {
  return x.scalar_type() == at::kFloat ? (transforms_weights ? 24 : 16) : 64;
}

/// Tells whether a speed-up on whole tiles is one although tiles reach beyond the edges.
bool fills_tiles(const Tensor &x, double advantage) {
  return x.size(2) * x.size(3) * advantage > 16 * image<float>(x, 0).tiles();
}

}  // namespace

bool pays(const Tensor &x, int64_t inputs, int64_t outputs, int64_t first) {
  return has_loops(x, inputs, outputs, first) && fills_tiles(x, advantage(x.scalar_type(), inputs * outputs)) &&
         x.size(0) * image<float>(x, 0).tiles() >= fewest_tiles_of(x, true);
}

bool weight_gradient_pays(const Tensor &dy, int64_t inputs, int64_t first) {
  // In single precision LibTorch's takes twice as long as its convolution.
  double least = dy.scalar_type() == at::kFloat ? 3 : advantage(dy.scalar_type(), inputs * dy.size(1));
  return has_loops(dy, inputs, dy.size(1), first) && fills_tiles(dy, least) &&
         dy.size(0) * image<float>(dy, 0).tiles() >= fewest_tiles_of(dy, false);
}

Tensor convolve(const ConvolutionInput &input, const Tensor &weight, const Tensor &bias, const Tensor &residual,
                bool rounds) {
  auto y = at::empty({input.a.size(0), weight.size(0), input.a.size(2), input.a.size(3)}, input.a.options(),
                     channels_last);
  auto stored = weight.to(at::kFloat).contiguous(channels_last);  // [outputs, 3, 3, inputs]
  int64_t outputs = weight.size(0), inputs = weight.size(1);
  WinogradTaps taps{values<float>(stored), inputs, outputs, 3 * inputs, inputs, 1, 9 * inputs};
  auto start = bias.defined() ? bias.to(at::kFloat).contiguous() : bias;
  if (input.a.scalar_type() == at::kFloat) {
    run<float, float>(input, taps, start, residual, y, {});
  } else if (rounds && winograd_kernels<BFloat16>(inputs, outputs)->pairs.product) {
    run<BFloat16, BFloat16Pair>(input, taps, start, residual, y, {});
  } else {
    run<BFloat16, float>(input, taps, start, residual, y, {});
  }
  return y;
}

std::pair<Tensor, Tensor> input_gradient(const Tensor &dy, const Tensor &weight, int64_t first) {
  auto part = [&](int64_t channels) {
    return at::empty({dy.size(0), channels, dy.size(2), dy.size(3)}, dy.options(), channels_last);
  };
  int64_t outputs = weight.size(0), inputs = weight.size(1);
  std::pair<Tensor, Tensor> result{part(first), inputs > first ? part(inputs - first) : Tensor()};
  auto stored = weight.to(at::kFloat).contiguous(channels_last);
  // The gradient is the convolution of dy with the taps turned by half a turn.
  WinogradTaps taps{values<float>(stored) + 8 * inputs, outputs, inputs, -3 * inputs, -inputs, 9 * inputs, 1};
  if (dy.scalar_type() == at::kFloat) {
    run<float, float>({.a = dy}, taps, {}, {}, result.first, result.second);
  } else {
    run<BFloat16, float>({.a = dy}, taps, {}, {}, result.first, result.second);
  }
  return result;
}

Tensor weight_gradient(const ConvolutionInput &input, const Tensor &dy) {
  auto result = at::empty({dy.size(1), input.channels(), 3, 3}, floats(), channels_last);
  if (dy.scalar_type() == at::kFloat) {
    run_gradient<float>(input, dy, result);
  } else {
    run_gradient<BFloat16>(input, dy, result);
  }
  return result;
}

}  // namespace winograd
