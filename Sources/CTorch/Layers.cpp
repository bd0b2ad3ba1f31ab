#include <ATen/TensorOperators.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/batch_norm.h>
#include <ATen/ops/conv2d.h>
#include <ATen/ops/conv_transpose2d.h>
#include <ATen/ops/group_norm.h>
#include <ATen/ops/instance_norm.h>
#include <ATen/ops/layer_norm.h>
#include <ATen/ops/matmul.h>
#include <ATen/ops/max_pool2d.h>
#include <ATen/ops/upsample_bilinear2d.h>
#include <ATen/ops/upsample_nearest2d.h>
#include "Support.h"

CTTensor *ct_conv2d(const CTTensor *x, const CTTensor *weight, const CTTensor *bias, ptrdiff_t padding) {
  return tensor([&] { return at::conv2d(x->value, weight->value, optional(bias), 1, padding); });
}

CTTensor *ct_conv_transpose2d(const CTTensor *x, const CTTensor *weight, const CTTensor *bias, ptrdiff_t stride,
                              ptrdiff_t padding, ptrdiff_t output_padding) {
  return tensor([&] {
    return at::conv_transpose2d(x->value, weight->value, optional(bias), stride, padding, output_padding);
  });
}

CTTensor *ct_max_pool2d(const CTTensor *x, ptrdiff_t size) {
  return tensor([&] { return at::max_pool2d(x->value, size); });
}

CTTensor *ct_batch_norm(const CTTensor *x, const CTTensor *weight, const CTTensor *bias, const CTTensor *mean,
                        const CTTensor *variance, bool training, double momentum, double epsilon) {
  return tensor([&] {
    return at::batch_norm(x->value, optional(weight), optional(bias), mean->value, variance->value, training, momentum,
                          epsilon, /*cudnn_enabled=*/true);
  });
}

CTTensor *ct_instance_norm(const CTTensor *x, double epsilon) {
  return tensor([&] {
    return at::instance_norm(x->value, {}, {}, {}, {}, /*use_input_stats=*/true, /*momentum=*/0.1, epsilon,
                             /*cudnn_enabled=*/true);
  });
}

CTTensor *ct_group_norm(const CTTensor *x, ptrdiff_t groups, const CTTensor *weight, const CTTensor *bias, double epsilon) {
  return tensor([&] {
    return at::group_norm(x->value, groups, weight->value, bias->value, epsilon, /*cudnn_enabled=*/true);
  });
}

CTTensor *ct_layer_norm(const CTTensor *x, const CTTensor *weight, const CTTensor *bias, double epsilon) {
  return tensor([&] { return at::layer_norm(x->value, weight->value.sizes(), weight->value, bias->value, epsilon); });
}

/// Returns the weights [to, from] of bilinear interpolation along one axis.
static at::Tensor bilinear_weights(const at::Tensor &x, int64_t from, int64_t to) {
  auto places = at::arange(to, x.options()) * (to > 1 ? static_cast<double>(from - 1) / static_cast<double>(to - 1) : 0);
  return (1 - (places.unsqueeze(1) - at::arange(from, x.options())).abs()).clamp_min(0);
}

CTTensor *ct_resize_bilinear(const CTTensor *x, ptrdiff_t height, ptrdiff_t width) {
  return tensor([&] {
    auto &value = x->value;
    if (!value.is_cuda() || !value.requires_grad() || !c10::GradMode::is_enabled())
      return at::upsample_bilinear2d(value, {height, width}, /*align_corners=*/true);
    // LibTorch's gradient depends on the order in which a GPU adds.
    auto rows = bilinear_weights(value, value.size(2), height), columns = bilinear_weights(value, value.size(3), width);
    return at::matmul(at::matmul(rows, value), columns.t());
  });
}

CTTensor *ct_resize_nearest(const CTTensor *x, ptrdiff_t height, ptrdiff_t width) {
  return tensor([&] { return at::upsample_nearest2d(x->value, {height, width}); });
}
