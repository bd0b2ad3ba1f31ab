#include <ATen/TensorOperators.h>
#include <ATen/ops/avg_pool2d.h>
#include <ATen/ops/avg_pool3d.h>
#include <ATen/ops/conv2d.h>
#include <ATen/ops/conv3d.h>
#include <ATen/ops/conv_transpose2d.h>
#include <ATen/ops/conv_transpose3d.h>
#include <ATen/ops/max_pool3d.h>
#include <ATen/ops/upsample_nearest3d.h>
#include <ATen/ops/upsample_trilinear3d.h>
#include <array>
#include "Fused/ConvolvedType.h"
#include "Support.h"

/// Values of the axes D, H and W.
using Axes = std::array<int64_t, 3>;

template <typename Value>
static Axes axes(const Value &value) {
  return {value(0), value(1), value(2)};
}

static Axes axes(const ptrdiff_t *values) { return {values[0], values[1], values[2]}; }

/// Convolves images or volumes.
static at::Tensor convolved(const at::Tensor &x, const at::Tensor &weight, const std::optional<at::Tensor> &bias,
                            at::IntArrayRef strides, at::IntArrayRef padding) {
  auto type = x.is_cpu() ? convolved_type(x, weight, strides, padding) : x.scalar_type();
  auto wide = [&](const at::Tensor &given) { return given.to(type); };
  auto wide_bias = bias ? std::optional(wide(*bias)) : std::nullopt;
  auto y = strides.size() == 3 ? at::conv3d(wide(x), wide(weight), wide_bias, strides, padding)
                               : at::conv2d(wide(x), wide(weight), wide_bias, strides, padding);
  return y.to(x.scalar_type());
}

CTTensor *ct_conv3d(const CTTensor *x, const CTTensor *weight, const CTTensor *bias) {
  return tensor([&] {
    auto padding = axes([&](int axis) { return weight->value.size(2 + axis) / 2; });
    return convolved(x->value, weight->value, optional(bias), Axes{1, 1, 1}, padding);
  });
}

CTTensor *ct_conv_transpose3d(const CTTensor *x, const CTTensor *weight, const CTTensor *bias, const ptrdiff_t *strides) {
  return tensor([&] {
    auto padding = axes([&](int axis) { return strides[axis] - 1; });
    return at::conv_transpose3d(x->value, weight->value, optional(bias), axes(strides), padding,
                                /*output_padding=*/padding);
  });
}

CTTensor *ct_max_pool3d(const CTTensor *x, const ptrdiff_t *strides) {
  return tensor([&] { return at::max_pool3d(x->value, axes(strides), axes(strides)); });
}

CTTensor *ct_resize_trilinear(const CTTensor *x, const ptrdiff_t *size) {
  return tensor([&] { return at::upsample_trilinear3d(x->value, axes(size), /*align_corners=*/true); });
}

CTTensor *ct_resize_nearest3d(const CTTensor *x, const ptrdiff_t *size) {
  return tensor([&] { return at::upsample_nearest3d(x->value, axes(size)); });
}

// MARK: Slices or volumes

CTTensor *ct_average_pool(const CTTensor *x, const ptrdiff_t *strides) {
  return tensor([&] {
    at::IntArrayRef sides(strides, x->value.dim() - 2);
    return sides.size() == 3 ? at::avg_pool3d(x->value, sides, sides) : at::avg_pool2d(x->value, sides, sides);
  });
}

CTTensor *ct_strided_conv(const CTTensor *x, const CTTensor *weight, const CTTensor *bias, const ptrdiff_t *strides) {
  return tensor([&] {
    auto &kernel = weight->value;
    at::IntArrayRef steps(strides, kernel.dim() - 2);
    Axes padding{};
    for (size_t axis = 0; axis < steps.size(); axis++) padding[axis] = (kernel.size(2 + static_cast<int64_t>(axis)) - 1) / 2;
    at::IntArrayRef pads(padding.data(), steps.size());
    return convolved(x->value, kernel, optional(bias), steps, pads);
  });
}

CTTensor *ct_up_conv(const CTTensor *x, const CTTensor *weight, const CTTensor *bias, const ptrdiff_t *strides) {
  return tensor([&] {
    at::IntArrayRef steps(strides, weight->value.dim() - 2);
    return steps.size() == 3 ? at::conv_transpose3d(x->value, weight->value, optional(bias), steps)
                             : at::conv_transpose2d(x->value, weight->value, optional(bias), steps);
  });
}
