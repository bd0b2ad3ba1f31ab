#pragma once

#include <ATen/core/Tensor.h>
#include <optional>

/// Computes the gradient by the weight of the 3×3 transposed convolution that doubles the size, in float.
///
/// x [N, inputs, H, W] and dy [N, outputs, 2H, 2W] are bfloat16, channels-last. Returns nothing where oneDNN is as fast,
/// or where the processor has no products of bfloat16.
std::optional<at::Tensor> doubling_weight_gradient(const at::Tensor &x, const at::Tensor &dy, const at::Tensor &weight);
