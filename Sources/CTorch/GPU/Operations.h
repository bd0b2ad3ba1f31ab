#pragma once

#include <ATen/core/Tensor.h>
#include "../Fused/NormReLU.h"

/// The operations of the folder Fused on GPUs. Tensors are channels-last and on one device.
namespace gpu {

at::Tensor channel_sums(const at::Tensor &x);

/// Fills in `step`, from x in training and else from the running statistics.
void statistics(const at::Tensor &x, const Norm &norm, NormReLU &step);
at::Tensor norm_relu(const NormReLU &step, const at::Tensor &x, const at::Tensor &map);
NormReLU::Gradients gradients(const NormReLU &step, const at::Tensor &x, const at::Tensor &map, const at::Tensor &dy,
                              bool training);

/// Adds the bias and the residual, if defined, to y.
void add_bias(const at::Tensor &y, const at::Tensor &bias, const at::Tensor &residual);

at::Tensor pool(const at::Tensor &x);
at::Tensor pool_gradient(const at::Tensor &x, const at::Tensor &dy);

at::Tensor class_sums(const at::Tensor &logits, const at::Tensor &labels, double least);
at::Tensor class_gradient(const at::Tensor &logits, const at::Tensor &labels, const at::Tensor &d, double least);

}  // namespace gpu
