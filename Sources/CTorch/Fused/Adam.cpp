#include "../Guard.h"
#include "Tensors.h"

/// One operation after the other, on any device.
static void one_by_one(at::Tensor &p, const at::Tensor &gradient, at::Tensor &first, at::Tensor &second, const AdamStep &values) {
  auto g = std::isinf(values.limit) ? gradient : gradient.clamp(-values.limit, values.limit);
  p.mul_(1 - values.decay);
  first.lerp_(g, 1 - values.beta1);
  second.mul_(values.beta2).addcmul_(g, g, 1 - values.beta2);
  p.addcdiv_(first, second.sqrt().div_(values.root_correction2).add_(values.epsilon), -values.size);
}

bool ct_adam(CTTensor *parameter, const CTTensor *gradient, CTTensor *first, CTTensor *second, const CTAdam *settings,
             int64_t step) {
  return act([&] {
    AdamStep values_of_step{settings->limit,
                            settings->learning_rate * settings->weight_decay,
                            settings->beta1,
                            settings->beta2,
                            std::sqrt(1 - std::pow(settings->beta2, step)),
                            settings->epsilon,
                            settings->learning_rate / (1 - std::pow(settings->beta1, step))};
    // Elementwise work needs the values in one order, whatever it is.
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
