#include <c10/core/impl/LocalDispatchKeySet.h>
#include <torch/csrc/autograd/custom_function.h>
#include "../Guard.h"
#include "Geometry.h"
#include "Tensors.h"

using at::Tensor;
using torch::autograd::AutogradContext;
using torch::autograd::tensor_list;

namespace {

/// conv(a), or conv([a, b]) with their channels joined. Keeps a and b, which others keep too, instead of both joined.
struct Convolution : torch::autograd::Function<Convolution> {
  static Tensor forward(AutogradContext *context, const Tensor &a, const std::optional<Tensor> &b,
                        const Tensor &weight, const Tensor &bias, int64_t padding) {
    c10::impl::ExcludeDispatchKeyGuard no_autocast(c10::autocast_dispatch_keyset);
    auto rounded = weight.to(a.scalar_type());
    context->save_for_backward({a, b.value_or(Tensor()), rounded});
    context->saved_data["padding"] = padding;
    context->saved_data["wants input"] = a.requires_grad() || (b && b->requires_grad());
    return Geometry{false, padding}.convolve(b ? at::cat({a, *b}, 1) : a, rounded, bias.to(a.scalar_type()));
  }

  static tensor_list backward(AutogradContext *context, tensor_list gradients) {
    c10::impl::ExcludeDispatchKeyGuard no_autocast(c10::autocast_dispatch_keyset);
    auto saved = context->get_saved_variables();
    auto [a, b, weight] = std::tie(saved[0], saved[1], saved[2]);
    bool wants_input = context->saved_data["wants input"].toBool();
    size_t first = b.defined() ? 2 : 1;  // edges of tensors that are absent are not counted
    auto [dx, d_weight, d_bias] =
        Geometry{false, context->saved_data["padding"].toInt()}.gradients(
            gradients[0].contiguous(channels_last), b.defined() ? at::cat({a, b}, 1) : a, weight,
            {wants_input, context->needs_input_grad(first), context->needs_input_grad(first + 1)});
    if (!b.defined()) return {dx, Tensor(), d_weight, d_bias, Tensor()};
    Tensor da, db;
    if (wants_input) {
      da = dx.narrow(1, 0, a.size(1)).contiguous(channels_last);
      db = dx.narrow(1, a.size(1), b.size(1)).contiguous(channels_last);
    }
    return {da, db, d_weight, d_bias, Tensor()};
  }
};

}  // namespace

CTTensor *ct_joined_conv2d(const CTTensor *a, const CTTensor *b, const CTTensor *weight, const CTTensor *bias,
                           ptrdiff_t padding) {
  return tensor([&] {
    auto second = b ? std::optional(b->value.to(a->value.scalar_type())) : std::nullopt;
    return Convolution::apply(a->value.contiguous(channels_last), second, weight->value, bias->value,
                              static_cast<int64_t>(padding));
  });
}
