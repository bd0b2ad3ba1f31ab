#include "Geometry.h"

#include "NormReLU.h"
#include "WeightGradient.h"

using at::Tensor;

Tensor Geometry::convolve(const Tensor &x, const Tensor &weight, const Tensor &bias) const {
  return at::convolution(x, weight, bias, stride(), paddings(), {1, 1}, doubling, output_padding(), 1);
}

std::tuple<Tensor, Tensor, Tensor> Geometry::gradients(const Tensor &dy, const Tensor &x, const Tensor &weight,
                                                       std::array<bool, 3> wanted) const {
  auto own = wanted[1] && padding == 1 ? weight_gradient(x, dy, weight, doubling) : std::nullopt;
  if (own) wanted[1] = false;
  // oneDNN's reference loop adds up the bias of a transposed convolution, slowly.
  bool own_bias = wanted[2] && (doubling || own);
  if (own_bias) wanted[2] = false;
  std::tuple<Tensor, Tensor, Tensor> result;
  if (wanted[0] || wanted[1] || wanted[2]) {
    int64_t outputs = dy.size(1);
    result = at::convolution_backward(dy, x, weight, at::OptionalIntArrayRef(outputs), stride(), paddings(), {1, 1},
                                      doubling, output_padding(), 1, wanted);
  }
  if (own) std::get<1>(result) = *own;
  if (own_bias) std::get<2>(result) = channel_sums(dy);
  return result;
}
