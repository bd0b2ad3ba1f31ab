#include <ATen/TensorOperators.h>
#include <ATen/ops/argmax.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/clamp.h>
#include <ATen/ops/constant_pad_nd.h>
#include <ATen/ops/flip.h>
#include <ATen/ops/gelu.h>
#include <ATen/ops/leaky_relu.h>
#include <ATen/ops/log.h>
#include <ATen/ops/log_softmax.h>
#include <ATen/ops/matmul.h>
#include <ATen/ops/mean.h>
#include <ATen/ops/narrow.h>
#include <ATen/ops/one_hot.h>
#include <ATen/ops/prelu.h>
#include <ATen/ops/relu.h>
#include <ATen/ops/sigmoid.h>
#include <ATen/ops/softmax.h>
#include <ATen/ops/sqrt.h>
#include <ATen/ops/sum.h>
#include <c10/core/impl/LocalDispatchKeySet.h>
#include "Support.h"

CTTensor *ct_add(const CTTensor *a, const CTTensor *b) {
  return tensor([&] { return a->value + b->value; });
}

CTTensor *ct_subtract(const CTTensor *a, const CTTensor *b) {
  return tensor([&] { return a->value - b->value; });
}

CTTensor *ct_multiply(const CTTensor *a, const CTTensor *b) {
  return tensor([&] { return a->value * b->value; });
}

CTTensor *ct_divide(const CTTensor *a, const CTTensor *b) {
  return tensor([&] { return a->value / b->value; });
}

CTTensor *ct_add_scalar(const CTTensor *a, double b) {
  return tensor([&] { return a->value + b; });
}

CTTensor *ct_multiply_scalar(const CTTensor *a, double b) {
  return tensor([&] { return a->value * b; });
}

CTTensor *ct_divide_scalar(const CTTensor *a, double b) {
  return tensor([&] { return a->value / b; });
}

CTTensor *ct_relu(const CTTensor *x) {
  return tensor([&] { return at::relu(x->value); });
}

CTTensor *ct_leaky_relu(const CTTensor *x, double slope) {
  return tensor([&] { return at::leaky_relu(x->value, slope); });
}

CTTensor *ct_prelu(const CTTensor *x, const CTTensor *slopes) {
  return tensor([&] { return at::prelu(x->value, slopes->value); });
}

CTTensor *ct_gelu(const CTTensor *x) {
  return tensor([&] { return at::gelu(x->value); });
}

CTTensor *ct_sigmoid(const CTTensor *x) {
  return tensor([&] { return at::sigmoid(x->value); });
}

CTTensor *ct_flip(const CTTensor *x, const ptrdiff_t *axes, ptrdiff_t count) {
  return tensor([&] { return at::flip(x->value, at::IntArrayRef(axes, count)); });
}

CTTensor *ct_log(const CTTensor *x) {
  return tensor([&] { return at::log(x->value); });
}

CTTensor *ct_sqrt(const CTTensor *x) {
  return tensor([&] { return at::sqrt(x->value); });
}

CTTensor *ct_clamp(const CTTensor *x, double low, double high) {
  return tensor([&] { return at::clamp(x->value, low, high); });
}

CTTensor *ct_matrix_product(const CTTensor *a, const CTTensor *b) {
  return tensor([&] {
    c10::impl::ExcludeDispatchKeyGuard no_autocast(c10::autocast_dispatch_keyset);
    return at::matmul(a->value, b->value);
  });
}

CTTensor *ct_sum(const CTTensor *x, const ptrdiff_t *dimensions, ptrdiff_t count) {
  return tensor([&] { return count == 0 ? at::sum(x->value) : at::sum(x->value, shape(dimensions, count)); });
}

CTTensor *ct_mean(const CTTensor *x) {
  return tensor([&] { return at::mean(x->value); });
}

CTTensor *ct_softmax(const CTTensor *x, ptrdiff_t dimension) {
  return tensor([&] { return at::softmax(x->value, dimension); });
}

CTTensor *ct_log_softmax(const CTTensor *x, ptrdiff_t dimension) {
  return tensor([&] { return at::log_softmax(x->value, dimension); });
}

CTTensor *ct_argmax(const CTTensor *x, ptrdiff_t dimension) {
  return tensor([&] { return at::argmax(x->value, dimension); });
}

CTTensor *ct_one_hot(const CTTensor *labels, ptrdiff_t classes) {
  return tensor([&] { return at::one_hot(labels->value, classes); });
}

CTTensor *ct_permute(const CTTensor *x, const ptrdiff_t *order, ptrdiff_t rank) {
  return tensor([&] { return x->value.permute(shape(order, rank)); });
}

CTTensor *ct_reshape(const CTTensor *x, const ptrdiff_t *sizes, ptrdiff_t rank) {
  return tensor([&] { return x->value.reshape(shape(sizes, rank)); });
}

CTTensor *ct_concatenate(const CTTensor *const *parts, ptrdiff_t count, ptrdiff_t dimension) {
  return tensor([&] {
    std::vector<at::Tensor> tensors;
    for (ptrdiff_t i = 0; i < count; i++) tensors.push_back(parts[i]->value);
    return at::cat(tensors, dimension);
  });
}

CTTensor *ct_narrow(const CTTensor *x, ptrdiff_t dimension, ptrdiff_t start, ptrdiff_t count) {
  return tensor([&] { return at::narrow(x->value, dimension, start, count); });
}

CTTensor *ct_pad(const CTTensor *x, const ptrdiff_t *amounts, ptrdiff_t count) {
  return tensor([&] { return at::constant_pad_nd(x->value, shape(amounts, count), 0); });
}
