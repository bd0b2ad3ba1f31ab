#include <torch/csrc/autograd/custom_function.h>
#include "../Guard.h"
#include "Tensors.h"

using at::Tensor;
using torch::autograd::AutogradContext;
using torch::autograd::tensor_list;

namespace {

/// Keeps x, which the skip connection keeps anyway, and no indices.
struct Halving : torch::autograd::Function<Halving> {
  static Tensor forward(AutogradContext *context, const Tensor &x) {
    context->save_for_backward({x});
    auto y = at::empty({x.size(0), x.size(1), x.size(2) / 2, x.size(3) / 2}, x.options(), channels_last);
    with_type(x, [&](auto type) {
      using T = decltype(type);
      auto pool = kernels<T>(x.size(1)).pool;
      int64_t size = x.size(1) * x.size(2) * x.size(3), result = y.size(1) * y.size(2) * y.size(3);
      // Pairs of rows are tasks of their own: an image may be the whole batch.
      int64_t pair = 2 * x.size(3) * x.size(1), line = y.size(3) * y.size(1), lines = y.size(2);
      Tasks(x.size(0) * lines, pair).run([&](int64_t first, int64_t count, int64_t) {
        for (int64_t row = first; row < first + count; row++) {
          int64_t image = row / lines, at = row % lines;
          pool(values<T>(x) + image * size + at * pair, 2, x.size(3), x.size(1),
               mutable_values<T>(y) + image * result + at * line);
        }
      });
    });
    return y;
  }

  static tensor_list backward(AutogradContext *context, tensor_list gradients) {
    auto x = context->get_saved_variables()[0];
    auto dy = gradients[0].contiguous(channels_last);
    bool exact = x.size(2) % 2 == 0 && x.size(3) % 2 == 0;
    auto dx = exact ? at::empty_like(x) : at::zeros_like(x);
    with_type(x, [&](auto type) {
      using T = decltype(type);
      auto pool = kernels<T>(x.size(1)).pool_input;
      int64_t size = x.size(1) * x.size(2) * x.size(3), result = dy.size(1) * dy.size(2) * dy.size(3);
      int64_t pair = 2 * x.size(3) * x.size(1), line = dy.size(3) * dy.size(1), lines = dy.size(2);
      Tasks(x.size(0) * lines, pair).run([&](int64_t first, int64_t count, int64_t) {
        for (int64_t row = first; row < first + count; row++) {
          int64_t image = row / lines, at = row % lines;
          pool(values<T>(x) + image * size + at * pair, values<T>(dy) + image * result + at * line, 2, x.size(3),
               x.size(1), mutable_values<T>(dx) + image * size + at * pair);
        }
      });
    });
    return {dx};
  }
};

}  // namespace

CTTensor *ct_halve_by_maximum(const CTTensor *x) {
  return tensor([&] { return Halving::apply(x->value.contiguous(channels_last)); });
}
