#include <ATen/autocast_mode.h>
#include <c10/core/impl/LocalDispatchKeySet.h>
#include <torch/csrc/autograd/custom_function.h>
#include "../GPU/Runtime.h"
#include "../Support.h"
#include "Geometry.h"
#include "Tensors.h"

using at::Tensor;
using torch::autograd::AutogradContext;
using torch::autograd::tensor_list;

namespace {

/// conv(a), or conv([a, b]) with the channels concatenated. Saves a and b, which other operations save too, and no
/// concatenated tensor.
struct Convolution : torch::autograd::Function<Convolution> {
  static Tensor forward(AutogradContext *context, const Tensor &a, const std::optional<Tensor> &b,
                        const Tensor &weight, const Tensor &bias, Geometry geometry) {
    c10::impl::ExcludeDispatchKeyGuard no_autocast(c10::autocast_dispatch_keyset);
    auto taken = gpu::takes(a) ? weight.to(a.scalar_type()) : weight;  // as in NormReLUConvolution
    context->save_for_backward({a, b.value_or(Tensor()), taken});
    context->saved_data["padding"] = geometry.padding;
    context->saved_data["depth"] = geometry.depth;
    context->saved_data["wants input"] = a.requires_grad() || (b && b->requires_grad());
    return geometry.convolve({.a = a, .b = b.value_or(Tensor())}, taken, bias);
  }

  static tensor_list backward(AutogradContext *context, tensor_list gradients) {
    c10::impl::ExcludeDispatchKeyGuard no_autocast(c10::autocast_dispatch_keyset);
    auto saved = context->get_saved_variables();
    auto [a, b, weight] = std::tie(saved[0], saved[1], saved[2]);
    bool wants_input = context->saved_data["wants input"].toBool();
    size_t first = b.defined() ? 2 : 1;  // Absent tensors have no edge.
    auto d = Geometry{false, context->saved_data["padding"].toInt(), context->saved_data["depth"].toInt()}.gradients(
        gradients[0].contiguous(channels_last), {.a = a, .b = b}, weight,
        {wants_input, context->needs_input_grad(first), context->needs_input_grad(first + 1)});
    return {d.a, d.b, d.weight, d.bias, Tensor()};
  }
};

/// Returns x as bfloat16 under autocast.
Tensor rounded(const Tensor &x) {
  bool rounds = at::autocast::is_autocast_enabled(at::kCPU) && x.scalar_type() == at::kFloat;
  return rounds ? x.to(at::autocast::get_autocast_dtype(at::kCPU)) : x;
}

}  // namespace

CTTensor *ct_concatenated_conv(const CTTensor *a, const CTTensor *b, const CTTensor *weight, const CTTensor *bias,
                               ptrdiff_t padding, ptrdiff_t depth) {
  return tensor([&] {
    auto first = rounded(a->value);
    auto second = b ? std::optional(b->value.to(first.scalar_type()).contiguous(channels_last)) : std::nullopt;
    return Convolution::apply(first.contiguous(channels_last), second, weight->value, bias->value,
                              Geometry{.doubling = false, .padding = padding, .depth = depth});
  });
}
