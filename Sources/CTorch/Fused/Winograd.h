#pragma once

#include <ATen/core/Tensor.h>
#include <utility>
#include "Geometry.h"

/// 3×3 convolutions of stride 1 and padding 1 by Winograd's F(4×4, 3×3) (Lavin & Gray, CVPR 2016).
///
/// It needs a quarter of the products. Tensors are channels-last.
namespace winograd {

/// Tells whether loops exist for these channels and this type, and are faster than LibTorch's for images like x.
///
/// The first `first` input channels lie in a tensor of their own.
bool pays(const at::Tensor &x, int64_t inputs, int64_t outputs, int64_t first);

/// Tells the same of the gradient by the weight, which transforms no weights.
bool weight_gradient_pays(const at::Tensor &dy, int64_t inputs, int64_t first);

/// Computes conv(input), plus bias and residual if defined, with a weight [outputs, inputs, 3, 3].
///
/// `rounds` also rounds factors between bfloat16 tensors to bfloat16, which some processors multiply in pairs.
/// The relative error is then 1 % instead of 0.2 %.
at::Tensor convolve(const ConvolutionInput &input, const at::Tensor &weight, const at::Tensor &bias,
                    const at::Tensor &residual, bool rounds);

/// Computes the gradient by the input, the first `first` channels in one tensor and the others in another.
std::pair<at::Tensor, at::Tensor> input_gradient(const at::Tensor &dy, const at::Tensor &weight, int64_t first);

/// Computes the gradient by the weight, in float.
at::Tensor weight_gradient(const ConvolutionInput &input, const at::Tensor &dy);

}  // namespace winograd
