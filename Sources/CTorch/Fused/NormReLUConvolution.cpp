#include <c10/core/impl/LocalDispatchKeySet.h>
#include <torch/csrc/autograd/custom_function.h>
#include "../GPU/Runtime.h"
#include "../Support.h"
#include "Geometry.h"
#include "NormReLU.h"
#include "Tensors.h"

using torch::autograd::AutogradContext;
using torch::autograd::tensor_list;
using at::Tensor;

namespace {

/// Keeps for the gradient what is no tensor of a norm.
void save(AutogradContext *context, const Norm &norm) {
  context->saved_data["training"] = norm.training;
  context->saved_data["rows"] = norm.sets.rows;
  context->saved_data["channels"] = norm.sets.channels;
  context->saved_data["axes"] = norm.weight.defined() ? norm.weight.dim() : 0;
}

Sets saved_sets(AutogradContext *context) {
  return {context->saved_data["rows"].toIntVector(), context->saved_data["channels"].toInt()};
}

/// Gives the gradients by weight and bias the shape of these, which runs may share.
void reshape_affine(AutogradContext *context, NormReLU::Gradients &d) {
  int64_t axes = context->saved_data["axes"].toInt();
  for (auto *gradient : {&d.weight, &d.bias}) {
    if (axes == 0) *gradient = Tensor();
    if (gradient->defined() && gradient->dim() > axes) *gradient = gradient->sum(0);
  }
}

/// conv(ReLU(norm(x))), plus a residual if there is one. Saves only x: the gradient computes ReLU(norm(x)) again.
struct NormReLUConvolution : torch::autograd::Function<NormReLUConvolution> {
  static Tensor forward(AutogradContext *context, const Tensor &x, const Tensor &weight, const Tensor &bias,
                        const std::optional<Tensor> &norm_weight, const std::optional<Tensor> &norm_bias,
                        const std::optional<Tensor> &map, const std::optional<Tensor> &residual, const Norm &norm,
                        Geometry geometry) {
    c10::impl::ExcludeDispatchKeyGuard no_autocast(c10::autocast_dispatch_keyset);
    NormReLU step(x, norm);
    // A GPU's convolutions round the weight. One rounding serves forward and backward.
    auto taken = gpu::takes(x) ? weight.to(x.scalar_type()) : weight;
    context->save_for_backward({x, norm.map, taken, step.mean, step.deviation, step.scale, step.shift});
    save(context, norm);
    auto learns = [](const Tensor &tensor) { return tensor.defined() && tensor.requires_grad(); };
    context->saved_data["norm learns"] = learns(x) || learns(norm.weight) || learns(norm.bias) || learns(norm.map);
    context->saved_data["residual"] = residual.has_value();
    context->saved_data["doubling"] = geometry.doubling;
    context->saved_data["padding"] = geometry.padding;
    context->saved_data["depth"] = geometry.depth;
    return geometry.convolve({.a = x, .norm = &step, .map = norm.map}, taken, bias, residual.value_or(Tensor()));
  }

  static tensor_list backward(AutogradContext *context, tensor_list gradients) {
    c10::impl::ExcludeDispatchKeyGuard no_autocast(c10::autocast_dispatch_keyset);
    auto saved = context->get_saved_variables();
    auto [x, map, weight] = std::tie(saved[0], saved[1], saved[2]);
    NormReLU step(saved[3], saved[4], saved[5], saved[6], saved_sets(context));
    Geometry geometry{context->saved_data["doubling"].toBool(), context->saved_data["padding"].toInt(),
                      context->saved_data["depth"].toInt()};
    bool norm_learns = context->saved_data["norm learns"].toBool();
    auto dy = gradients[0].contiguous(channels_last);
    auto outer = geometry.gradients(dy, {.a = x, .norm = &step, .map = map}, weight,
                                    {norm_learns, context->needs_input_grad(1), context->needs_input_grad(2)});
    NormReLU::Gradients d;
    if (norm_learns) {
      d = step.gradients(x, map, outer.a.contiguous(channels_last), context->saved_data["training"].toBool());
    }
    reshape_affine(context, d);
    return {d.x, outer.weight, outer.bias, d.weight, d.bias, d.map, context->saved_data["residual"].toBool() ? dy : Tensor(),
            Tensor(), Tensor()};
  }
};

/// ReLU(norm(x)). Saves only x.
struct NormReLUFunction : torch::autograd::Function<NormReLUFunction> {
  static Tensor forward(AutogradContext *context, const Tensor &x, const std::optional<Tensor> &norm_weight,
                        const std::optional<Tensor> &norm_bias, const std::optional<Tensor> &map, const Norm &norm) {
    c10::impl::ExcludeDispatchKeyGuard no_autocast(c10::autocast_dispatch_keyset);
    NormReLU step(x, norm);
    context->save_for_backward({x, norm.map, step.mean, step.deviation, step.scale, step.shift});
    save(context, norm);
    return step.output(x, norm.map);
  }

  static tensor_list backward(AutogradContext *context, tensor_list gradients) {
    c10::impl::ExcludeDispatchKeyGuard no_autocast(c10::autocast_dispatch_keyset);
    auto saved = context->get_saved_variables();
    NormReLU step(saved[2], saved[3], saved[4], saved[5], saved_sets(context));
    auto d = step.gradients(saved[0], saved[1], gradients[0].contiguous(channels_last),
                            context->saved_data["training"].toBool());
    reshape_affine(context, d);
    return {d.x, d.weight, d.bias, d.map, Tensor()};
  }
};

Tensor value(const CTTensor *tensor) { return tensor ? tensor->value : Tensor(); }

std::optional<Tensor> present(const Tensor &tensor) { return tensor.defined() ? std::optional(tensor) : std::nullopt; }

/// Reads the settings of a norm of `input`.
Norm settings_of(const CTNorm *norm, const Tensor &input) {
  Norm settings{value(norm->weight), value(norm->bias), value(norm->map), value(norm->mean), value(norm->variance),
                norm->training, norm->momentum, norm->epsilon};
  settings.sets = {{norm->rows, norm->rows + norm->runs}, norm->channels};
  if (norm->training && norm->batches) settings.batches = norm->batches->value;
  if (settings.map.defined()) settings.map = settings.map.to(input.scalar_type()).contiguous(channels_last);
  return settings;
}

CTTensor *norm_relu_convolution(const CTTensor *x, const CTNorm *norm, const CTTensor *weight, const CTTensor *bias,
                                const CTTensor *residual, Geometry geometry) {
  return tensor([&] {
    auto input = x->value.contiguous(channels_last);
    auto settings = settings_of(norm, input);
    auto added = value(residual);
    if (added.defined()) added = added.to(input.scalar_type()).contiguous(channels_last);
    return NormReLUConvolution::apply(input, weight->value, bias->value, present(settings.weight),
                                      present(settings.bias), present(settings.map), present(added),
                                      settings, geometry);
  });
}

}  // namespace

CTTensor *ct_norm_relu_conv(const CTTensor *x, const CTNorm *norm, const CTTensor *weight, const CTTensor *bias,
                            ptrdiff_t padding, ptrdiff_t depth, const CTTensor *residual) {
  return norm_relu_convolution(x, norm, weight, bias, residual, {.doubling = false, .padding = padding, .depth = depth});
}

CTTensor *ct_norm_relu_conv_transpose2d(const CTTensor *x, const CTNorm *norm, const CTTensor *weight, const CTTensor *bias) {
  return norm_relu_convolution(x, norm, weight, bias, nullptr, {.doubling = true, .padding = 1});
}

CTTensor *ct_norm_relu(const CTTensor *x, const CTNorm *norm) {
  return tensor([&] {
    auto input = x->value.contiguous(channels_last);
    auto settings = settings_of(norm, input);
    return NormReLUFunction::apply(input, present(settings.weight), present(settings.bias), present(settings.map),
                                   settings);
  });
}

bool ct_norm_takes_sets(const CTTensor *x) { return !gpu::takes(x->value); }
