#pragma once

#include <ATen/ATen.h>
#include "../Fused/NormReLU.h"

/// The fused operations on GPUs; see Fused for what they are. Tensors are channels-last and on one device.
namespace gpu {

at::Tensor channel_sums(const at::Tensor &x);

/// Measures x or takes the running statistics; fills in all of `step`.
void statistics(const at::Tensor &x, const Norm &norm, NormReLU &step);
at::Tensor norm_relu(const NormReLU &step, const at::Tensor &x, const at::Tensor &map);
NormReLU::Gradients gradients(const NormReLU &step, const at::Tensor &x, const at::Tensor &map, const at::Tensor &dy,
                              bool training);

/// y += bias + residual, in place; the residual may be absent.
void add_bias(const at::Tensor &y, const at::Tensor &bias, const at::Tensor &residual);

at::Tensor pool(const at::Tensor &x);
at::Tensor pool_gradient(const at::Tensor &x, const at::Tensor &dy);

at::Tensor class_sums(const at::Tensor &logits, const at::Tensor &labels, double least);
at::Tensor class_gradient(const at::Tensor &logits, const at::Tensor &labels, const at::Tensor &d, double least);

}  // namespace gpu
