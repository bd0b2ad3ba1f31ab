#include <ATen/ops/empty_like.h>
#include "../GPU/Runtime.h"
#include "../Support.h"
#include "Tensors.h"

/// Updates by LibTorch's operations, on any device.
static void one_by_one(at::Tensor &p, const at::Tensor &gradient, at::Tensor &first, at::Tensor &second, const AdamStep &values) {
  auto g = std::isinf(values.limit) ? gradient : gradient.clamp(-values.limit, values.limit);
  p.mul_(1 - values.decay);
  first.lerp_(g, 1 - values.beta1);
  second.mul_(values.beta2).addcmul_(g, g, 1 - values.beta2);
  p.addcdiv_(first, second.sqrt().div_(values.root_correction2).add_(values.epsilon), -values.size);
}

bool ct_adam(CTTensor *parameter, const CTTensor *gradient, CTTensor *first, CTTensor *second, const CTAdam *settings,
             int64_t step) {
  return act_without_gradients([&] {
    AdamStep values_of_step{settings->limit,
                            settings->learning_rate * settings->weight_decay,
                            settings->beta1,
                            settings->beta2,
                            std::sqrt(1 - std::pow(settings->beta2, step)),
                            settings->epsilon,
                            settings->learning_rate / (1 - std::pow(settings->beta1, step))};
    // Elementwise work needs all tensors in one memory order.
    auto &p = parameter->value;
    if (settings->plain || !p.is_cpu()) return one_by_one(p, gradient->value, first->value, second->value, values_of_step);
    auto g = gradient->value;
    if (g.strides() != p.strides()) g = at::empty_like(p).copy_(g);
    TORCH_CHECK(p.is_non_overlapping_and_dense() && first->value.strides() == p.strides() &&
                    second->value.strides() == p.strides() && g.scalar_type() == p.scalar_type(),
                "Adam's moments are not laid out as the parameter");
    auto run = [&](auto type) {
      using T = decltype(type);
      Tasks(p.numel(), 1).run([&](int64_t start, int64_t count, int64_t) {
        kernels<T>(count).adam(values<T>(g) + start, count, values_of_step, mutable_values<T>(p) + start,
                               mutable_values<T>(first->value) + start, mutable_values<T>(second->value) + start);
      });
    };
    p.scalar_type() == at::kDouble ? run(double()) : run(float());
  });
}

bool ct_adam_multi_tensor(const CTAdamTensors *tensors, ptrdiff_t count, CTTensor *steps, const CTTensor *mask,
                      const CTTensor *rate, const CTAdam *settings) {
  return act_without_gradients([&] {
    if (count == 0) return;
    steps->value.add_(mask->value);
    // Matches AdamBatch in Adam.cu.
    struct {
      void *parameter[gpu::adam_batch], *first[gpu::adam_batch], *second[gpu::adam_batch];
      const void *gradient[gpu::adam_batch];
      int32_t count[gpu::adam_batch];
      int16_t counter[gpu::adam_batch];
      bool decays[gpu::adam_batch];
    } batch;
    static_assert(sizeof batch <= 4000);
    std::vector<at::Tensor> copies;
    for (ptrdiff_t start = 0; start < count; start += gpu::adam_batch) {
      int64_t part = std::min<int64_t>(gpu::adam_batch, count - start), largest = 0;
      for (int64_t i = 0; i < part; i++) {
        auto &own = tensors[start + i];
        auto &p = own.parameter->value;
        auto g = own.gradient->value;
        if (g.strides() != p.strides()) copies.push_back(g = at::empty_like(p).copy_(g));
        TORCH_CHECK(p.is_non_overlapping_and_dense() && own.first->value.strides() == p.strides() &&
                        own.second->value.strides() == p.strides() && p.scalar_type() == at::kFloat &&
                        g.scalar_type() == at::kFloat,
                    "Adam's moments are not laid out as the parameter, or it is not of float32");
        batch.parameter[i] = p.mutable_data_ptr();
        batch.first[i] = own.first->value.mutable_data_ptr();
        batch.second[i] = own.second->value.mutable_data_ptr();
        batch.gradient[i] = g.const_data_ptr();
        batch.count[i] = static_cast<int32_t>(p.numel());
        batch.counter[i] = static_cast<int16_t>(own.place);
        batch.decays[i] = own.decays;
        largest = std::max(largest, p.numel());
      }
      auto &device = tensors[start].parameter->value;
      int64_t blocks = gpu::fitting_blocks(device, largest, 4 * gpu::threads(device), 1);
      gpu::launch(device, {gpu::Source::adam, at::kFloat}, "adam", {blocks, part}, batch, steps->value, rate->value,
                  settings->limit, settings->weight_decay, settings->beta1, settings->beta2, settings->epsilon);
    }
  });
}
