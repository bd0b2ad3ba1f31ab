#include "Winograd.h"

#include <ATen/ops/empty.h>
#include "Processor.h"
#include "Tensors.h"
#include "WinogradBlocks.h"

using at::Tensor;

namespace winograd {

namespace {

/// Least number of outputs for one transformation of the input, in the gradient by the weight.
constexpr int64_t fewest_columns = 64;

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

  /// Transforms the weights of every slice to points, one after the other. Factors of every type are as large as a float.
  template <typename E>
  Tensor transform(const std::vector<WinogradTaps> &taps) const {
    int64_t rows = taps[0].inputs / inputs_of<E>, size = winograd_points * rows * taps[0].outputs;
    auto points = at::empty({static_cast<int64_t>(taps.size()) * size}, floats());
    auto target = reinterpret_cast<E *>(mutable_values<float>(points));
    for (auto &slice : taps) {
      Tasks(slice.inputs / loops.lanes, size / rows * loops.lanes).run([&](int64_t first, int64_t count, int64_t) {
        loops.template factors<E>().weight(slice, first, first + count, columns, target);
      });
      target += size;
    }
    return points;
  }

  /// Transforms a block of tiles of a and b, and of the slices around it, to points.
  template <typename E>
  void transform(const Images<T> &a, const Images<T> &b, const Blocks &blocks, const Blocks::Block &block,
                 const WinogradPoints<E> &points) const {
    auto transform = loops.template factors<E>().input;
    int64_t slice = -1;
    WinogradImage<T> image_a, image_b;
    for (int64_t i = 0; i < block.rows() + 2 * blocks.reach * block.tiles; i++) {
      auto place = blocks.place(block, i, blocks.reach);
      if (place.slice < 0) {
        points.clear(i, i + 1);
        continue;
      }
      if (place.slice != slice) {
        slice = place.slice;
        image_a = a[slice];
        image_b = b[slice];
      }
      transform(image_a, place.tile, points.at(0, i), points.spacing);
      if (image_b.values)
        transform(image_b, place.tile, points.at(0, i) + image_a.channels / inputs_of<E>, points.spacing);
    }
  }
};

/// Convolves the input with a weight of `taps`, one for each slice, into the channels of y and then those of y2.
///
/// Factors have type E.
template <typename T, typename E>
void run(const ConvolutionInput &input, const Slices &slices, const std::vector<WinogradTaps> &taps, const Tensor &bias,
         const Tensor &residual, const Tensor &y, const Tensor &y2) {
  int64_t rows = taps[0].inputs / inputs_of<E>, outputs = taps[0].outputs, runs = taps.size();
  Cut<T> cut(taps[0].inputs, outputs);
  auto &factors = cut.loops.template factors<E>();
  auto room = cut.template transform<E>(taps);
  auto weights = reinterpret_cast<const E *>(values<float>(room));
  int64_t size = winograd_points * rows * outputs;  // of the weights of a slice
  auto multiply = [&](const WinogradPoints<E> &x, int64_t tiles, int64_t slice, const WinogradPoints<float> &y) {
    for (int64_t point = 0; point < winograd_points; point++)
      for (int64_t out = 0; out < outputs; out += cut.columns) {
        const E *right = weights + (point * outputs + out) * rows;
        for (int64_t row = 0; row < tiles; row += cut.rows)
          factors.product(cut.vectors, {x.at(point, row), rows, 1, right, cut.columns, rows, runs, slice * rows, size},
                          y.at(point, row) + out, outputs, false);
      }
  };
  Images<T> a(slices, input.a, input.norm, input.map), b(slices, input.b), targets[] = {{slices, y}, {slices, y2}};
  T *results[] = {mutable_values<T>(y), y2.defined() ? mutable_values<T>(y2) : nullptr};
  auto start = values<float>(bias);
  auto added = values<T>(residual);
  auto write = [&](const WinogradPoints<float> &points, int64_t row, Blocks::Place place) {
    const float *source = points.at(0, row);
    for (size_t i = 0; i < 2 && results[i]; i++) {
      auto &target = targets[i];
      int64_t offset = place.slice * target.size;
      cut.loops.output(source, points.spacing, start, added ? added + offset : nullptr, target.first, place.tile,
                       results[i] + offset);
      source += target.first.channels;
    }
  };
  Blocks blocks(slices, runs, rows + outputs);
  blocks.share(cut.rows);
  Room x_room(blocks.most_inputs() + cut.rows, rows), y_room(blocks.most_rows() + cut.rows, outputs);
  run_with_floats(blocks.count(), x_room.floats + y_room.floats, [&](int64_t index, float *free) {
    auto x = x_room.take<E>(free);
    auto y = y_room.take(free);
    auto block = blocks.block(index);
    int64_t tiles = block.rows(), padded = (tiles + cut.rows - 1) / cut.rows * cut.rows;
    int64_t around = 2 * blocks.reach * block.tiles;
    cut.transform(a, b, blocks, block, x);
    x.clear(tiles + around, padded + around);
    multiply(x, padded, block.tiles, y);
    for (int64_t i = 0; i < tiles; i++) write(y, i, blocks.place(block, i));
  });
}

/// Computes the gradient by the weight, Gᵀ (Σ x̃ ⊗ ỹ) G over the tiles, with x̃ = Bᵀ x B and ỹ = A dy Aᵀ.
///
/// Tasks split the tiles, and with many channels also the outputs. Neither their number nor the sums depend on the threads.
template <typename T>
void run_gradient(const ConvolutionInput &input, const Slices &slices, int64_t taps, const Tensor &dy, const Tensor &result) {
  int64_t inputs = input.channels(), outputs = dy.size(1);
  Cut<T> cut(outputs, inputs);
  auto &factors = cut.loops.floats;
  int64_t columns = outputs;  // per task
  while (columns % (2 * fewest_columns) == 0 && taps * winograd_points * inputs * columns > cached / 2) columns /= 2;
  int64_t groups = outputs / columns;
  Blocks blocks(slices, taps, inputs + columns);
  Images<T> a(slices, input.a, input.norm, input.map), b(slices, input.b), gradient(slices, dy);
  int64_t parts = std::clamp<int64_t>(32 / groups, 1, blocks.count());
  auto sums = at::empty({parts, outputs, taps, 9, inputs}, floats());
  Room x_room(blocks.most_inputs(), inputs), dy_room(blocks.most_rows(), columns), sum_room(columns, inputs);
  int64_t size = x_room.floats + dy_room.floats + taps * sum_room.floats;
  run_with_floats(parts * groups, size, [&](int64_t task, float *free) {
    int64_t first_output = task % groups * columns, part = task / groups;
    auto x = x_room.take(free), y = dy_room.take(free), sum = sum_room.take(free);  // the first of `taps` sums
    std::fill_n(sum.values, taps * sum_room.floats, 0.0f);
    for (int64_t index = part; index < blocks.count(); index += parts) {
      auto block = blocks.block(index);
      cut.transform(a, b, blocks, block, x);
      for (int64_t i = 0; i < block.rows(); i++) {
        auto place = blocks.place(block, i);
        auto source = gradient[place.slice];
        source.values += first_output;
        source.channels = columns;
        cut.loops.outer(source, place.tile, y.at(0, i), y.spacing);
      }
      for (int64_t point = 0; point < winograd_points; point++)
        for (int64_t tap = 0; tap < taps; tap++)
          for (int64_t row = 0; row < columns; row += cut.rows)
            for (int64_t column = 0; column < inputs; column += cut.columns)
              factors.product(cut.vectors,
                              {y.at(point, 0) + row, 1, columns, x.at(point, tap * block.tiles) + column, inputs, block.rows()},
                              sum.at(point, row) + tap * sum_room.floats + column, inputs, true);
    }
    for (int64_t out = 0; out < columns; out++)
      for (int64_t tap = 0; tap < taps; tap++)
        cut.loops.taps(sum.at(0, out) + tap * sum_room.floats, sum.spacing, inputs,
                       mutable_values<float>(sums) + ((part * outputs + first_output + out) * taps + tap) * 9 * inputs);
  });
  // [outputs, taps, 3, 3, inputs] in memory is a channels-last weight.
  auto weight = sums.sum(0).view({outputs, taps, 3, 3, inputs}).permute({0, 4, 1, 2, 3});
  result.copy_(result.dim() == 5 ? weight : weight.squeeze(2));
}

template <typename T>
bool has_loops(int64_t inputs, int64_t outputs, int64_t first) {
  auto loops = winograd_kernels<T>(inputs, outputs);
  return loops && first % loops->lanes == 0;
}

/// Returns the least speed-up over LibTorch on whole tiles. Measured on an EPYC of 2023.
///
/// In bfloat16 LibTorch multiplied pairs there. Processors with tiles multiply several times as fast. Volumes transform a
/// slice once for three taps; on a Xeon without tiles ours were 2.5 times as fast from 16 channels on.
double advantage(at::ScalarType type, int64_t products, int64_t taps) {
  static const bool has_tiles = processor::has_bfloat16_tiles();
  if (type == at::kFloat) return 1.7;
  if (has_tiles) return 0;
  return taps > 1 ? 1.5 : products >= 512 ? 1.25 : 1.05;
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
bool fills_tiles(const Slices &slices, double advantage) {
  return slices.height * slices.width * advantage > 16 * slices.tiles();
}

int64_t taps_of(const Tensor &weight) { return weight.dim() == 5 ? weight.size(2) : 1; }

/// Returns the taps of the slices of `stored`, [outputs, slices, 3, 3, inputs] in memory.
std::vector<WinogradTaps> taps_of(const Tensor &stored, const WinogradTaps &first, int64_t step) {
  std::vector<WinogradTaps> result(taps_of(stored), first);
  for (size_t tap = 0; tap < result.size(); tap++) result[tap].values += static_cast<int64_t>(tap) * step;
  return result;
}

Tensor stored_taps(const Tensor &weight) {
  return weight.to(at::kFloat).contiguous(weight.dim() == 5 ? at::MemoryFormat::ChannelsLast3d : channels_last);
}

}  // namespace

bool pays(const Tensor &x, int64_t depth, const Tensor &weight, int64_t first) {
  Slices slices(x, depth);
  int64_t outputs = weight.size(0), inputs = weight.size(1), taps = taps_of(weight);
  return has_loops(x, inputs, outputs, first) &&
         fills_tiles(slices, advantage(x.scalar_type(), inputs * outputs, taps)) &&
         slices.count * slices.tiles() >= fewest_tiles_of(x, true);
}

bool weight_gradient_pays(const Tensor &dy, int64_t depth, const Tensor &weight, int64_t first) {
  Slices slices(dy, depth);
  int64_t outputs = weight.size(0), inputs = weight.size(1), taps = taps_of(weight);
  // In single precision LibTorch's takes twice as long as its convolution.
  double least = dy.scalar_type() == at::kFloat ? 3 : advantage(dy.scalar_type(), inputs * outputs, taps);
  return has_loops(dy, inputs, outputs, first) && fills_tiles(slices, least) &&
         slices.count * slices.tiles() >= fewest_tiles_of(dy, false);
}

Tensor convolve(const ConvolutionInput &input, int64_t depth, const Tensor &weight, const Tensor &bias,
                const Tensor &residual, bool rounds) {
  auto y = at::empty({input.a.size(0), weight.size(0), input.a.size(2), input.a.size(3)}, input.a.options(),
                     channels_last);
  auto stored = stored_taps(weight);  // [outputs, taps, 3, 3, inputs]
  int64_t outputs = weight.size(0), inputs = weight.size(1), slice = 9 * inputs;
  auto taps = taps_of(weight, {values<float>(stored), inputs, outputs, 3 * inputs, inputs, 1, taps_of(weight) * slice}, slice);
  auto start = bias.defined() ? bias.to(at::kFloat).contiguous() : bias;
  Slices slices(input.a, depth);
  if (input.a.scalar_type() == at::kFloat) {
    run<float, float>(input, slices, taps, start, residual, y, {});
  } else if (rounds && winograd_kernels<BFloat16>(inputs, outputs)->pairs.product) {
    run<BFloat16, BFloat16Pair>(input, slices, taps, start, residual, y, {});
  } else {
    run<BFloat16, float>(input, slices, taps, start, residual, y, {});
  }
  return y;
}

std::pair<Tensor, Tensor> input_gradient(const Tensor &dy, int64_t depth, const Tensor &weight, int64_t first) {
  auto part = [&](int64_t channels) {
    return at::empty({dy.size(0), channels, dy.size(2), dy.size(3)}, dy.options(), channels_last);
  };
  int64_t outputs = weight.size(0), inputs = weight.size(1), count = taps_of(weight), slice = 9 * inputs;
  std::pair<Tensor, Tensor> result{part(first), inputs > first ? part(inputs - first) : Tensor()};
  auto stored = stored_taps(weight);
  // The gradient is the convolution of dy with the taps turned by half a turn, and from the last slice to the first.
  auto last = values<float>(stored) + (count - 1) * slice + 8 * inputs;
  auto taps = taps_of(weight, {last, outputs, inputs, -3 * inputs, -inputs, count * slice, 1}, -slice);
  Slices slices(dy, depth);
  if (dy.scalar_type() == at::kFloat) {
    run<float, float>({.a = dy}, slices, taps, {}, {}, result.first, result.second);
  } else {
    run<BFloat16, float>({.a = dy}, slices, taps, {}, {}, result.first, result.second);
  }
  return result;
}

Tensor weight_gradient(const ConvolutionInput &input, int64_t depth, const Tensor &weight, const Tensor &dy) {
  auto format = weight.dim() == 5 ? at::MemoryFormat::ChannelsLast3d : channels_last;
  auto result = at::empty(weight.sizes(), floats(), format);
  if (dy.scalar_type() == at::kFloat) {
    run_gradient<float>(input, {dy, depth}, taps_of(weight), dy, result);
  } else {
    run_gradient<BFloat16>(input, {dy, depth}, taps_of(weight), dy, result);
  }
  return result;
}

}  // namespace winograd
