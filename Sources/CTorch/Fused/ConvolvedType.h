#pragma once

#include <ATen/core/Tensor.h>

/// Returns the type in which LibTorch convolves an image or a volume, [N, C, …], fast and right.
///
/// oneDNN's convolutions of bfloat16 on vectors (LibTorch 2.11.0) read memory that nobody wrote where an axis under a kernel
/// longer than 1 is shorter than 3, before or after. Results and gradients are then arbitrary. Those of floats and of
/// transposed convolutions are right.
at::ScalarType convolved_type(const at::Tensor &x, const at::Tensor &weight, at::IntArrayRef strides,
                              at::IntArrayRef padding);
