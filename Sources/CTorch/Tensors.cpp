#include <ATen/ops/empty.h>
#include <ATen/ops/full.h>
#include <ATen/CPUGeneratorImpl.h>
#include <ATen/Parallel.h>
#include <ATen/autocast_mode.h>
#include <torch/headeronly/version.h>
#include "Support.h"

const char *ct_error(void) { return cguard::last_error<LibTorch>.c_str(); }

const char *ct_version(void) { return TORCH_VERSION; }

bool ct_set_threads(int32_t count) {
  return act([&] { at::set_num_threads(count); });
}

int32_t ct_threads(void) {
  return guard(1, [] { return at::get_num_threads(); });
}

bool ct_flush_denormals(void) {
  return guard(false, [] { return at::globalContext().setFlushDenormal(true); });
}

bool ct_set_gradients_enabled(bool enabled) {
  return guard(true, [&] {
    bool before = c10::GradMode::is_enabled();
    c10::GradMode::set_enabled(enabled);
    return before;
  });
}

void ct_allow_tf32(bool allowed) {
  act([&] { at::globalContext().setAllowTF32CuDNN(allowed); });
}

bool ct_begin_bfloat16(void) {
  return act([] {
    for (auto device : {at::kCPU, at::kCUDA}) {
      at::autocast::set_autocast_dtype(device, at::kBFloat16);
      at::autocast::set_autocast_enabled(device, true);
    }
    at::autocast::increment_nesting();
  });
}

void ct_end_bfloat16(void) {
  act([] {
    // The outermost level drops the rounded weights, since the optimizer changes the weights next.
    if (at::autocast::decrement_nesting() == 0) at::autocast::clear_cache();
    for (auto device : {at::kCPU, at::kCUDA}) at::autocast::set_autocast_enabled(device, false);
  });
}

CTTensor *ct_from_bytes(const void *bytes, CTType type, const ptrdiff_t *sizes, ptrdiff_t rank) {
  return tensor([&] {
    auto result = at::empty(shape(sizes, rank), static_cast<at::ScalarType>(type));
    if (result.nbytes() > 0) std::memcpy(result.mutable_data_ptr(), bytes, result.nbytes());
    return result;
  });
}

CTTensor *ct_full(const ptrdiff_t *sizes, ptrdiff_t rank, double value, CTType type) {
  return tensor([&] { return at::full(shape(sizes, rank), value, at::TensorOptions(static_cast<at::ScalarType>(type))); });
}

void ct_free(CTTensor *tensor) { delete tensor; }

ptrdiff_t ct_rank(const CTTensor *tensor) {
  return guard(ptrdiff_t(0), [&]() -> ptrdiff_t { return tensor->value.dim(); });
}

ptrdiff_t ct_size(const CTTensor *tensor, ptrdiff_t dimension) {
  return guard(ptrdiff_t(0), [&]() -> ptrdiff_t { return tensor->value.sizes()[dimension]; });
}

CTType ct_type(const CTTensor *tensor) {
  return guard(CTTypeUInt8, [&] { return static_cast<CTType>(tensor->value.scalar_type()); });
}

bool ct_copy_bytes(const CTTensor *tensor, void *bytes, ptrdiff_t count) {
  return act_without_gradients([&] {
    auto source = tensor->value.detach().to(at::kCPU).contiguous();
    TORCH_CHECK(static_cast<size_t>(count) == source.nbytes(), "copying ", source.nbytes(), " bytes to ", count);
    if (count > 0) std::memcpy(bytes, source.const_data_ptr(), source.nbytes());
  });
}

CTTensor *ct_to_type(const CTTensor *x, CTType type) {
  return tensor([&] { return x->value.to(static_cast<at::ScalarType>(type)); });
}

CTTensor *ct_copy(const CTTensor *x) {
  return tensor([&] { return x->value.detach().clone(); });
}

CTTensor *ct_channels_last(const CTTensor *x) {
  return tensor([&] {
    return x->value.contiguous(x->value.dim() == 5 ? at::MemoryFormat::ChannelsLast3d : at::MemoryFormat::ChannelsLast);
  });
}

CTTensor *ct_detach(const CTTensor *x) {
  return tensor([&] { return x->value.detach(); });
}

bool ct_require_gradient(CTTensor *x, bool required) {
  return act_without_gradients([&] { x->value.requires_grad_(required); });
}

bool ct_requires_gradient(const CTTensor *x) {
  return guard(false, [&] { return x->value.requires_grad(); });
}

bool ct_backward(const CTTensor *x) {
  return act([&] { x->value.backward(); });
}

CTTensor *ct_gradient(const CTTensor *x) {
  return guard(static_cast<CTTensor *>(nullptr), [&] {
    const auto &gradient = x->value.grad();
    return gradient.defined() ? new CTTensor{gradient} : nullptr;
  });
}

void ct_clear_gradient(CTTensor *x) {
  act([&] { x->value.mutable_grad().reset(); });
}

bool ct_assign(CTTensor *x, const CTTensor *value) {
  return act_without_gradients([&] {
    TORCH_CHECK(x->value.sizes() == value->value.sizes(), "assigning ", value->value.sizes(), " to ", x->value.sizes());
    x->value.copy_(value->value);
  });
}

CTGenerator *ct_generator(uint64_t seed) {
  return guard(static_cast<CTGenerator *>(nullptr),
               [&] { return new CTGenerator{at::detail::createCPUGenerator(seed)}; });
}

void ct_generator_free(CTGenerator *generator) { delete generator; }

bool ct_fill_uniform(CTTensor *x, double low, double high, CTGenerator *generator) {
  return act_without_gradients([&] { x->value.uniform_(low, high, generator->value); });
}

bool ct_add_in_place(CTTensor *x, const CTTensor *value) {
  return act_without_gradients([&] { x->value.add_(value->value); });
}

bool ct_add_scalar_in_place(CTTensor *x, double value) {
  return act_without_gradients([&] {
    // An integer tensor accepts only an integer scalar.
    x->value.add_(at::isIntegralType(x->value.scalar_type(), true) ? at::Scalar(static_cast<int64_t>(value)) : at::Scalar(value));
  });
}

bool ct_fill(CTTensor *x, double value) {
  return act_without_gradients([&] { x->value.fill_(value); });
}

bool ct_lerp_in_place(CTTensor *x, const CTTensor *end, double weight) {
  return act_without_gradients([&] { x->value.lerp_(end->value, weight); });
}
