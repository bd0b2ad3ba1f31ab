#include <c10/core/impl/LocalDispatchKeySet.h>
#include <torch/csrc/autograd/custom_function.h>
#include "../Guard.h"
#include "Tensors.h"

using at::Tensor;
using torch::autograd::AutogradContext;
using torch::autograd::tensor_list;

namespace {

/// conv([a, b]). Keeps a and b, which others keep too, instead of both joined.
struct JoinedConvolution : torch::autograd::Function<JoinedConvolution> {
  static Tensor forward(AutogradContext *context, const Tensor &a, const Tensor &b, const Tensor &weight,
                        const Tensor &bias, int64_t padding) {
    c10::impl::ExcludeDispatchKeyGuard no_autocast(c10::autocast_dispatch_keyset);
    auto rounded = weight.to(a.scalar_type());
    context->save_for_backward({a, b, rounded});
    context->saved_data["padding"] = padding;
    context->saved_data["outputs"] = bias.size(0);
    return at::conv2d(at::cat({a, b}, 1), rounded, bias.to(a.scalar_type()), 1, padding);
  }

  static tensor_list backward(AutogradContext *context, tensor_list gradients) {
    c10::impl::ExcludeDispatchKeyGuard no_autocast(c10::autocast_dispatch_keyset);
    auto saved = context->get_saved_variables();
    int64_t padding = context->saved_data["padding"].toInt(), outputs = context->saved_data["outputs"].toInt();
    bool wants_input = context->needs_input_grad(0) || context->needs_input_grad(1);
    auto [dx, d_weight, d_bias] = at::convolution_backward(
        gradients[0].contiguous(channels_last), at::cat({saved[0], saved[1]}, 1), saved[2],
        at::OptionalIntArrayRef(outputs), {1, 1}, {padding, padding}, {1, 1}, false, {0, 0}, 1,
        {wants_input, context->needs_input_grad(2), context->needs_input_grad(3)});
    Tensor da, db;
    if (wants_input) {
      int64_t channels = saved[0].size(1);
      da = dx.narrow(1, 0, channels).contiguous(channels_last);
      db = dx.narrow(1, channels, dx.size(1) - channels).contiguous(channels_last);
    }
    return {da, db, d_weight, d_bias, Tensor()};
  }
};

}  // namespace

CTTensor *ct_joined_conv2d(const CTTensor *a, const CTTensor *b, const CTTensor *weight, const CTTensor *bias,
                           ptrdiff_t padding) {
  return tensor([&] {
    return JoinedConvolution::apply(a->value, b->value.to(a->value.scalar_type()), weight->value, bias->value,
                                    static_cast<int64_t>(padding));
  });
}
