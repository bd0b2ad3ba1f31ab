#pragma once

#include <ATen/ATen.h>
#include <optional>

/// Gradient by the weight of a 3×3 convolution of padding 1, or of the transposed one that doubles the size, in float.
///
/// x [N, inputs, H, W] and dy [N, outputs, H or 2H, W or 2W] are bfloat16, channels-last. Nothing where another library
/// is as fast, or where this processor has no products of bfloat16.
std::optional<at::Tensor> weight_gradient(const at::Tensor &x, const at::Tensor &dy, const at::Tensor &weight,
                                          bool doubling);
