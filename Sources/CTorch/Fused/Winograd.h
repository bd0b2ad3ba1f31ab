#pragma once

#include <ATen/core/Tensor.h>
#include <utility>
#include "Geometry.h"

/// 3×3 convolutions of stride 1 and padding 1 by Winograd's F(4×4, 3×3) (Lavin & Gray, CVPR 2016).
///
/// It needs a quarter of the products. Tensors are channels-last. Weights of volumes are [outputs, inputs, 1 or 3, 3, 3]; their
/// products along the depth are direct ones. `depth` is the number of slices of a volume [N, C, depth H, W], 0 for images.
namespace winograd {

/// Tells whether loops exist for these channels and this type, and are faster than LibTorch's for images like x.
///
/// The first `first` input channels lie in a tensor of their own.
bool pays(const at::Tensor &x, int64_t depth, const at::Tensor &weight, int64_t first);

/// Tells the same of the gradient by the weight, which transforms no weights.
bool weight_gradient_pays(const at::Tensor &dy, int64_t depth, const at::Tensor &weight, int64_t first);

/// Computes conv(input), plus bias and residual if defined, with a weight [outputs, inputs, …].
///
/// `rounds` also rounds factors between bfloat16 tensors to bfloat16, which some processors multiply in pairs.
/// The relative error is then 1 % instead of 0.2 %.
at::Tensor convolve(const ConvolutionInput &input, int64_t depth, const at::Tensor &weight, const at::Tensor &bias,
                    const at::Tensor &residual, bool rounds);

/// Computes the gradient by the input, the first `first` channels in one tensor and the others in another.
std::pair<at::Tensor, at::Tensor> input_gradient(const at::Tensor &dy, int64_t depth, const at::Tensor &weight,
                                                 int64_t first);

/// Computes the gradient by the weight, in float. Of `weight` it takes the shape alone.
at::Tensor weight_gradient(const ConvolutionInput &input, int64_t depth, const at::Tensor &weight, const at::Tensor &dy);

}  // namespace winograd
