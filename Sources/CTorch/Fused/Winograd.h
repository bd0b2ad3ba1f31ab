#pragma once

#include <ATen/ATen.h>
#include <utility>
#include "Geometry.h"

/// 3×3 convolutions of stride 1 and padding 1 by Winograd's F(4×4, 3×3) (Lavin & Gray, CVPR 2016): a quarter of the
/// products. Tensors are channels-last.
namespace winograd {

/// Whether there are loops for these channels, of which `first` lie in a tensor of their own, and this type, and they are
/// faster than the library's convolution of images like x.
bool pays(const at::Tensor &x, int64_t inputs, int64_t outputs, int64_t first);

/// conv(input) + bias + residual, those that are defined; weight [outputs, inputs, 3, 3]. With `rounds`, factors between
/// bfloat16 tensors are rounded to bfloat16 too, of which some processors multiply two at once: a relative error of 1 %
/// instead of 0.2 %.
at::Tensor convolve(const ConvolutionInput &input, const at::Tensor &weight, const at::Tensor &bias,
                    const at::Tensor &residual, bool rounds);

/// The gradient by the input, of which the first `first` channels go into one tensor and the others into another.
std::pair<at::Tensor, at::Tensor> input_gradient(const at::Tensor &dy, const at::Tensor &weight, int64_t first);

/// The gradient by the weight, in float.
at::Tensor weight_gradient(const ConvolutionInput &input, const at::Tensor &dy);

}  // namespace winograd
