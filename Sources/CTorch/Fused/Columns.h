#pragma once

#include <ATen/core/Tensor.h>

/// Convolutions of few pixels as products of matrices, in float.
///
/// A pixel's row holds the pixels under the kernel, those beyond the edges as 0, so no weight is copied to another order.
/// Images are [N, C, H, W] and volumes [N, C, depth H, W], channels-last; `depth` is 0 for images. Kernels are odd and keep
/// the size.
namespace columns {

/// Tells whether this is faster than LibTorch's convolution: where the weights are more than the pixels.
bool pay(const at::Tensor &x, const at::Tensor &weight);

/// Computes conv(x) + bias.
at::Tensor convolve(const at::Tensor &x, int64_t depth, const at::Tensor &weight, const at::Tensor &bias);

/// Computes the gradient by the input.
at::Tensor input_gradient(const at::Tensor &dy, int64_t depth, const at::Tensor &weight);

/// Computes the gradient by the weight. Of `weight` it takes the shape alone.
at::Tensor weight_gradient(const at::Tensor &x, int64_t depth, const at::Tensor &weight, const at::Tensor &dy);

}  // namespace columns
