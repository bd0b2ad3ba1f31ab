#pragma once

#include <ATen/core/Tensor.h>
#include <ATen/Parallel.h>
#include <ATen/ops/empty.h>
#include <atomic>
#include "NormReLU.h"
#include "Tensors.h"
#include "WinogradKernels.h"

namespace winograd {

/// Floats per thread, which fit the second-level cache beside the weights.
constexpr int64_t cached = 3 << 16;
/// Least number of tiles for one read of the weights.
constexpr int64_t fewest_tiles = 48;
/// Slices of a block of volumes. The slices before and after it are transformed too.
constexpr int64_t usual_layers = 16;

/// The slices of a batch: images, or the slices of its volumes one after the other.
struct Slices {
  int64_t depth, count, height, width;  // of a volume, in all, and pixels

  Slices(const at::Tensor &x, int64_t depth)
      : depth(std::max<int64_t>(depth, 1)),
        count(x.size(0) * this->depth),
        height(x.size(2) / this->depth),
        width(x.size(3)) {}

  int64_t tiles() const { return WinogradImage<float>{nullptr, height, width, 0}.tiles(); }
};

/// The slices of a tensor as images, with a norm of its own channels or without.
template <typename T>
struct Images {
  WinogradImage<T> first{};
  int64_t size = 0, depth = 1, maps = 1;  // size: values of a slice
  const NormReLU *norm = nullptr;
  const T *map = nullptr;

  Images(const Slices &slices, const at::Tensor &x, const NormReLU *norm = nullptr, const at::Tensor &map = {})
      : depth(slices.depth), norm(norm), map(values<T>(map)) {
    if (!x.defined()) return;
    first = {values<T>(x), slices.height, slices.width, x.size(1)};
    size = slices.height * slices.width * x.size(1);
    if (map.defined()) maps = map.size(0) * depth;
  }

  WinogradImage<T> operator[](int64_t index) const {
    auto image = first;
    image.values += index * size;
    if (norm) {
      int64_t run = norm->sets.run_of(index / depth);
      image.scale = values<float>(norm->scale) + run * first.channels;
      image.shift = values<float>(norm->shift) + run * first.channels;
      if (map) image.map = map + 2 * (index % maps) * size;
    }
    return image;
  }
};

/// Blocks of the tiles of a batch: some tiles of some slices of a volume, or any run of tiles of images.
///
/// A thread works on one block at once. Kernels of three slices also read the slices around a block. Then the rows of points
/// of a slice follow those of the slice before, so that a slice's offset is the same for all rows.
struct Blocks {
  Slices slices;
  int64_t tiles_of_slice, reach;         // reach: slices that the kernel reads on each side
  int64_t volumes, layers, tiles;        // of all; images are one layer of one volume
  int64_t block_layers = 1, block_tiles;

  Blocks(const Slices &slices, int64_t taps, int64_t channels)
      : slices(slices), tiles_of_slice(slices.tiles()), reach(taps / 2) {
    volumes = reach > 0 ? slices.count / slices.depth : 1;
    layers = reach > 0 ? slices.depth : 1;
    tiles = reach > 0 ? tiles_of_slice : slices.count * tiles_of_slice;
    int64_t rows = std::max(fewest_tiles, cached / (winograd_points * channels));
    block_tiles = rows;
    if (reach > 0) {
      block_layers = even(layers, std::min(layers, usual_layers));
      block_tiles = even(tiles, std::clamp<int64_t>(rows / block_layers, 1, tiles));
    }
  }

  /// Chooses sizes that give every thread as many blocks; images get whole `unit`s of tiles.
  void share(int64_t unit) {
    int64_t threads = at::get_num_threads();
    if (reach > 0) {
      while (count() % threads != 0 && count() < 4 * threads && block_tiles > 1) block_tiles = even(tiles, block_tiles - 1);
      return;
    }
    int64_t shares = (count() + threads - 1) / threads * threads;
    block_tiles = ((tiles + shares - 1) / shares + unit - 1) / unit * unit;
  }

  int64_t count() const { return volumes * blocks_along(layers, block_layers) * blocks_along(tiles, block_tiles); }

  struct Place {
    int64_t slice, tile;
  };

  struct Block {
    int64_t first_slice, layer, layers, tile, tiles;

    int64_t rows() const { return layers * tiles; }
  };

  Block block(int64_t index) const {
    int64_t along = blocks_along(layers, block_layers), across = blocks_along(tiles, block_tiles);
    int64_t layer = index / across % along * block_layers, tile = index % across * block_tiles;
    return {index / across / along * slices.depth, layer, std::min(block_layers, layers - layer), tile,
            std::min(block_tiles, tiles - tile)};
  }

  /// The most rows of a block's inputs, those of the slices around it among them.
  int64_t most_inputs() const { return (block_layers + 2 * reach) * block_tiles; }
  int64_t most_rows() const { return block_layers * block_tiles; }

  /// Returns the place of a row of a block; the slice is negative beyond a volume. Inputs begin `reach` slices before.
  Place place(const Block &block, int64_t row, int64_t before = 0) const {
    int64_t layer = block.layer + row / block.tiles - before, tile = block.tile + row % block.tiles;
    if (layer < 0 || layer >= layers) return {-1, 0};
    return {block.first_slice + layer + tile / tiles_of_slice, tile % tiles_of_slice};
  }

 private:
  static int64_t blocks_along(int64_t all, int64_t size) { return (all + size - 1) / size; }
  /// The size of as many blocks, all about equally large.
  static int64_t even(int64_t all, int64_t size) { return blocks_along(all, blocks_along(all, size)); }
};

inline at::TensorOptions floats() { return at::TensorOptions(at::kFloat); }

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

}  // namespace winograd
