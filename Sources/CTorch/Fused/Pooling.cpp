#include <ATen/ops/empty.h>
#include <ATen/ops/empty_like.h>
#include <ATen/ops/zeros_like.h>
#include <torch/csrc/autograd/custom_function.h>
#include "../GPU/Operations.h"
#include "../GPU/Runtime.h"
#include "../Support.h"
#include "Tensors.h"

using at::Tensor;
using torch::autograd::AutogradContext;
using torch::autograd::tensor_list;

namespace {

/// Runs body(type, offset, pooled offset) for every pair of rows of x [N, C, H, W].
template <typename Body>
void for_pairs_of_rows(const Tensor &x, const Body &body) {
  int64_t lines = x.size(2) / 2, row = x.size(3) * x.size(1), line = x.size(3) / 2 * x.size(1);
  with_type(x, [&](auto type) {
    Tasks(x.size(0) * lines, 2 * row).run([&](int64_t first, int64_t count, int64_t) {
      for (int64_t i = first; i < first + count; i++)
        body(type, (i / lines * x.size(2) + i % lines * 2) * row, i * line);
    });
  });
}

/// Max-pooling by 2. Saves x, which the skip connection saves too, and no indices.
struct MaxPool : torch::autograd::Function<MaxPool> {
  static Tensor forward(AutogradContext *context, const Tensor &x) {
    context->save_for_backward({x});
    if (gpu::takes(x)) return gpu::pool(x);
    auto y = at::empty({x.size(0), x.size(1), x.size(2) / 2, x.size(3) / 2}, x.options(), channels_last);
    for_pairs_of_rows(x, [&](auto type, int64_t at_x, int64_t at_y) {
      using T = decltype(type);
      kernels<T>(x.size(1)).pool(values<T>(x) + at_x, x.size(3), x.size(1), mutable_values<T>(y) + at_y);
    });
    return y;
  }

  static tensor_list backward(AutogradContext *context, tensor_list gradients) {
    auto x = context->get_saved_variables()[0];
    auto dy = gradients[0].contiguous(channels_last);
    if (gpu::takes(x)) return {gpu::pool_gradient(x, dy)};
    bool exact = x.size(2) % 2 == 0 && x.size(3) % 2 == 0;
    auto dx = exact ? at::empty_like(x) : at::zeros_like(x);
    for_pairs_of_rows(x, [&](auto type, int64_t at_x, int64_t at_y) {
      using T = decltype(type);
      kernels<T>(x.size(1)).pool_input(values<T>(x) + at_x, values<T>(dy) + at_y, x.size(3), x.size(1),
                                       mutable_values<T>(dx) + at_x);
    });
    return {dx};
  }
};

}  // namespace

CTTensor *ct_max_pool2x2(const CTTensor *x) {
  return tensor([&] { return MaxPool::apply(x->value.contiguous(channels_last)); });
}
