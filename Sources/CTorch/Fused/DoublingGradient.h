#pragma once

#include <ATen/ATen.h>
#include <optional>

/// Gradient by the weight of the 3×3 transposed convolution that doubles the size, in float.
///
/// x [N, inputs, H, W] and dy [N, outputs, 2H, 2W] are bfloat16, channels-last. Nothing where another library is as fast,
/// or where this processor has no products of bfloat16.
std::optional<at::Tensor> doubling_weight_gradient(const at::Tensor &x, const at::Tensor &dy, const at::Tensor &weight);
