#include "Geometry.h"

#include <ATen/ops/cat.h>
#include <ATen/ops/constant_pad_nd.h>
#include <ATen/ops/convolution.h>
#include <ATen/ops/convolution_backward.h>
#include <algorithm>
#include <utility>

#include "../GPU/Operations.h"
#include "../GPU/Runtime.h"
#include "Columns.h"
#include "ConvolvedType.h"
#include "DoublingGradient.h"
#include "Processor.h"
#include "Tensors.h"
#include "Winograd.h"

using at::Tensor;

Tensor ConvolutionInput::stored() const { return norm ? norm->output(a, map) : b.defined() ? at::cat({a, b}, 1) : a; }

/// Pads bfloat16 channels with zeros to a multiple of 8, as the tensor cores of GPUs need.
static Tensor filled(const Tensor &x, int64_t dimension) {
  int64_t missing = x.scalar_type() == at::kBFloat16 ? (8 - x.size(dimension) % 8) % 8 : 0;
  if (missing == 0) return x;
  std::vector<int64_t> amounts(2 * (4 - dimension));
  amounts.back() = missing;
  return at::constant_pad_nd(x, amounts, 0).contiguous(channels_last);
}

/// Returns the type that LibTorch convolves this type in.
///
/// Without vectors for bfloat16 LibTorch would multiply one by one. In float32 the sums are the same, rounded afterwards.
static at::ScalarType calculated(at::ScalarType type) {
  return type == at::kBFloat16 && !processor::library_has_bfloat16() ? at::kFloat : type;
}

at::ScalarType convolved_type(const Tensor &x, const Tensor &weight, at::IntArrayRef strides, at::IntArrayRef padding) {
  auto type = calculated(x.scalar_type());
  if (type != at::kBFloat16) return type;
  for (int64_t axis = 0; axis < static_cast<int64_t>(strides.size()); axis++) {
    int64_t kernel = weight.size(2 + axis), side = x.size(2 + axis);
    int64_t result = (side + 2 * padding[axis] - kernel) / strides[axis] + 1;
    if (kernel > 1 && std::min(side, result) < 3) return at::kFloat;
  }
  return type;
}

bool Geometry::is_3x3(const Tensor &weight) const {
  return !doubling && (depth > 0 || padding == 1) && weight.size(-2) == 3 && weight.size(-1) == 3;
}

std::vector<int64_t> Geometry::paddings(const Tensor &weight) const {
  if (depth == 0) return per_axis(padding);
  return {weight.size(2) / 2, weight.size(3) / 2, weight.size(4) / 2};
}

Tensor Geometry::unfolded(const Tensor &x) const {
  if (depth == 0) return x;
  return x.permute({0, 2, 3, 1}).view({x.size(0), depth, x.size(2) / depth, x.size(3), x.size(1)}).permute({0, 4, 1, 2, 3});
}

Tensor Geometry::folded(const Tensor &x) const {
  if (depth == 0) return x;
  auto y = x.contiguous(at::MemoryFormat::ChannelsLast3d);
  return y.permute({0, 2, 3, 4, 1}).view({y.size(0), y.size(2) * y.size(3), y.size(4), y.size(1)}).permute({0, 3, 1, 2});
}

Tensor Geometry::convolve(const ConvolutionInput &input, const Tensor &weight, const Tensor &bias,
                          const Tensor &residual) const {
  // DualNorm's loops would read past the end.
  TORCH_CHECK(weight.size(doubling ? 0 : 1) == input.channels(), "a weight of other channels than the ",
              input.channels(), " it meets");
  TORCH_CHECK(!bias.defined() || bias.size(0) == weight.size(doubling ? 1 : 0), "a bias of other channels than the weight's");
  TORCH_CHECK(!input.b.defined() || (input.b.size(0) == input.a.size(0) && input.b.size(2) == input.a.size(2) &&
                                     input.b.size(3) == input.a.size(3)), "images of different sizes are concatenated");
  TORCH_CHECK(!input.map.defined() || (input.a.size(0) % input.map.size(0) == 0 && input.map.size(1) == 2 * input.a.size(1) &&
                                       input.map.size(2) == input.a.size(2) && input.map.size(3) == input.a.size(3)),
              "a map of another shape than the image");
  // Volumes keep their size.
  auto side = [&](int64_t axis) {
    return input.a.size(axis) + (depth > 0 ? 0 : 2 * padding - weight.size(axis) + 1);
  };
  TORCH_CHECK(!residual.defined() || (!doubling && residual.size(0) == input.a.size(0) &&
                                      residual.size(1) == weight.size(0) && residual.size(2) == side(2) &&
                                      residual.size(3) == side(3)),
              "a residual of another shape than the result");
  TORCH_CHECK(depth == 0 || (weight.dim() == 5 && !doubling && input.a.size(2) % depth == 0),
              "a height of ", input.a.size(2), " is not that of ", depth, " slices, or the weight is not one of volumes");
  auto type = input.a.scalar_type();
  bool on_gpu = gpu::takes(input.a);
  if (on_gpu && depth == 0) {
    // cuDNN adds a bias in a pass of its own. This pass adds the residual too.
    auto y = at::convolution(filled(input.stored(), 1), filled(filled(weight.to(type), 0), 1), {}, stride(), paddings(weight),
                             {1, 1}, doubling, output_padding(), 1);
    y = y.narrow(1, 0, bias.size(0)).contiguous(channels_last);
    gpu::add_bias(y, bias, residual);
    return y;
  }
  if (!on_gpu && is_3x3(weight) && winograd::pays(input.a, depth, weight, input.a.size(1)))
    return winograd::convolve(input, depth, weight, bias, residual, rounds);
  auto wide = on_gpu ? type : doubling ? calculated(type) : convolved_type(unfolded(input.a), weight, stride(), paddings(weight));
  if (wide == at::kFloat && is_3x3(weight) && columns::pay(input.a, weight)) {
    auto y = columns::convolve(input.stored().to(wide), depth, weight.to(type).to(wide), bias.to(type).to(wide)).to(type);
    return residual.defined() ? y.add_(residual) : y;
  }
  auto y = folded(at::convolution(unfolded(input.stored()).to(wide), weight.to(type).to(wide), bias.to(type).to(wide), stride(),
                                  paddings(weight), per_axis(1), doubling, output_padding(), 1).to(type));
  return residual.defined() ? y.add_(residual) : y;
}

Geometry::Gradients Geometry::gradients(const Tensor &dy, const ConvolutionInput &input, const Tensor &weight,
                                        std::array<bool, 3> wanted) const {
  Gradients result;
  int64_t inputs = input.channels();
  bool on_gpu = gpu::takes(dy);
  if (!on_gpu && is_3x3(weight)) {
    int64_t first = input.a.size(1);
    if (wanted[0] && winograd::pays(dy, depth, weight, first)) {
      wanted[0] = false;
      std::tie(result.a, result.b) = winograd::input_gradient(dy, depth, weight, first);
    }
    if (wanted[1] && winograd::weight_gradient_pays(dy, depth, weight, first)) {
      wanted[1] = false;
      result.weight = winograd::weight_gradient(input, depth, weight, dy);
    }
  }
  auto set_input = [&](const Tensor &dx) {
    result.a = input.b.defined() ? dx.narrow(1, 0, input.a.size(1)).contiguous(channels_last) : dx;
    if (input.b.defined()) result.b = dx.narrow(1, input.a.size(1), input.b.size(1)).contiguous(channels_last);
  };
  std::optional<Tensor> stored;
  if (wanted[0] || wanted[1]) stored = input.stored();
  if (wanted[1] && doubling && !on_gpu) {
    if (auto own = doubling_weight_gradient(*stored, dy, weight)) {
      wanted[1] = false;
      result.weight = *own;
    }
  }
  // oneDNN sums the bias of a transposed convolution slowly, and others only with the weight. cuDNN never sums it.
  if (wanted[2] && (doubling || !wanted[1] || on_gpu)) {
    wanted[2] = false;
    result.bias = channel_sums(dy);
  }
  if (on_gpu && depth == 0 && (wanted[0] || wanted[1])) {
    auto [dx, d_weight, none] = at::convolution_backward(
        filled(dy, 1), filled(*stored, 1), filled(filled(weight.to(dy.scalar_type()), 0), 1), at::OptionalIntArrayRef(),
        stride(), paddings(weight), {1, 1}, doubling, output_padding(), 1, {wanted[0], wanted[1], false});
    if (wanted[0]) {
      result.a = dx.narrow(1, 0, input.a.size(1)).contiguous(channels_last);
      if (input.b.defined()) result.b = dx.narrow(1, input.a.size(1), input.b.size(1)).contiguous(channels_last);
    }
    if (wanted[1]) result.weight = d_weight.narrow(0, 0, weight.size(0)).narrow(1, 0, weight.size(1));
    return result;
  }
  if (wanted[0] || wanted[1]) {
    auto type = dy.scalar_type();
    auto wide = on_gpu     ? type
                : doubling ? calculated(type)
                           : convolved_type(unfolded(dy), weight, stride(), paddings(weight));
    if (wide == at::kFloat && is_3x3(weight) && columns::pay(dy, weight)) {
      auto gradient = dy.to(wide);
      if (wanted[0]) set_input(columns::input_gradient(gradient, depth, weight.to(type).to(wide)).to(type));
      if (wanted[1]) result.weight = columns::weight_gradient(stored->to(wide), depth, weight, gradient);
      if (wanted[2]) result.bias = channel_sums(dy);
      return result;
    }
    auto [dx, d_weight, d_bias] = at::convolution_backward(
        unfolded(dy).to(wide), unfolded(*stored).to(wide), weight.to(type).to(wide), at::OptionalIntArrayRef(dy.size(1)),
        stride(), paddings(weight), per_axis(1), doubling, output_padding(), 1, wanted);
    if (wanted[0]) set_input(folded(dx.to(type)));
    if (wanted[1]) result.weight = d_weight;
    if (wanted[2]) result.bias = d_bias;
  }
  return result;
}
