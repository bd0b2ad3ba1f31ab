#include <ATen/autocast_mode.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/constant_pad_nd.h>
#include <ATen/ops/conv3d.h>
#include <c10/core/GradMode.h>
#include <c10/core/impl/LocalDispatchKeySet.h>
#include <torch/csrc/autograd/custom_function.h>
#include "../GPU/Runtime.h"
#include "../Support.h"
#include "Geometry.h"
#include "Tensors.h"
#include "Winograd.h"

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
    context->saved_data["wants input"] = a.requires_grad() || (b && b->requires_grad());
    return geometry.convolve({.a = a, .b = b.value_or(Tensor())}, taken, bias);
  }

  static tensor_list backward(AutogradContext *context, tensor_list gradients) {
    c10::impl::ExcludeDispatchKeyGuard no_autocast(c10::autocast_dispatch_keyset);
    auto saved = context->get_saved_variables();
    auto [a, b, weight] = std::tie(saved[0], saved[1], saved[2]);
    bool wants_input = context->saved_data["wants input"].toBool();
    size_t first = b.defined() ? 2 : 1;  // Absent tensors have no edge.
    auto d = Geometry{false, context->saved_data["padding"].toInt()}.gradients(
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

/// The slices of volumes below each other, [N, C, D, H, W] -> [N D, C, H, W]. Copies no channels-last tensor.
Tensor slices_of(const Tensor &x) {
  return x.permute({0, 2, 1, 3, 4}).reshape({x.size(0) * x.size(2), x.size(1), x.size(3), x.size(4)});
}

/// The slices one further along the depth, with zeros beyond the volume.
Tensor shifted(const Tensor &x, int64_t by) {
  auto rest = x.narrow(2, std::max<int64_t>(by, 0), x.size(2) - 1);
  return at::constant_pad_nd(rest, {0, 0, 0, 0, by < 0 ? 1 : 0, by > 0 ? 1 : 0}, 0);
}

}  // namespace

CTTensor *ct_conv3d_in_slices(const CTTensor *x, const CTTensor *weight, const CTTensor *bias) {
  return tensor([&] {
    auto &kernel = weight->value;
    bool in_plane = x->value.is_cpu() && kernel.size(3) == 3 && kernel.size(4) == 3;
    int64_t depth = kernel.size(2), channels = depth * kernel.size(1), outputs = kernel.size(0);
    auto input = rounded(x->value);
    // Measured: with few channels, and for gradients in bfloat16, copies of the neighbours cost more than they save.
    bool copies_pay = kernel.size(1) >= 32 && (!c10::GradMode::is_enabled() || input.scalar_type() == at::kFloat);
    if (!in_plane || (depth > 1 && !copies_pay) || !winograd::pays(slices_of(input), channels, outputs, channels)) {
      return at::conv3d(x->value, kernel, bias->value, 1, {depth / 2, kernel.size(3) / 2, kernel.size(4) / 2});
    }
    auto stacked = depth == 1 ? input : at::cat({shifted(input, -1), input, shifted(input, 1)}, 1);
    auto taps = kernel.permute({0, 2, 1, 3, 4}).reshape({outputs, channels, 3, 3});
    auto y = Convolution::apply(slices_of(stacked).contiguous(channels_last), std::nullopt,
                                taps.contiguous(channels_last), bias->value, Geometry{.doubling = false, .padding = 1});
    return y.permute({0, 2, 3, 1})
        .view({x->value.size(0), x->value.size(2), x->value.size(3), x->value.size(4), outputs})
        .permute({0, 4, 1, 2, 3});
  });
}

CTTensor *ct_concatenated_conv2d(const CTTensor *a, const CTTensor *b, const CTTensor *weight, const CTTensor *bias,
                           ptrdiff_t padding) {
  return tensor([&] {
    auto first = rounded(a->value);
    auto second = b ? std::optional(b->value.to(first.scalar_type()).contiguous(channels_last)) : std::nullopt;
    return Convolution::apply(first.contiguous(channels_last), second, weight->value, bias->value,
                              Geometry{.doubling = false, .padding = padding});
  });
}
