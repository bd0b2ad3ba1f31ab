#include "../Guard.h"
#include "Tensors.h"

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
