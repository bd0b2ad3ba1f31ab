#include <ATen/ops/aminmax.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/empty_like.h>
#include <torch/csrc/autograd/custom_function.h>
#include "../GPU/Operations.h"
#include "../GPU/Runtime.h"
#include "../Support.h"
#include "Tensors.h"

using at::Tensor;
using torch::autograd::AutogradContext;
using torch::autograd::tensor_list;

namespace {

/// The sums, in the order of ct_class_sums.
enum Sum { overlap, predicted, squares, truth, logs, clamped_logs, chosen_overlap, chosen, sums };

/// Computes p, the softmax of one pixel's logits. Returns log Σ exp.
template <typename T>
T softmax(const T *logits, int64_t classes, T *p) {
  T largest = logits[0], sum = 0;
  for (int64_t k = 1; k < classes; k++) largest = std::max(largest, logits[k]);
  for (int64_t k = 0; k < classes; k++) sum += p[k] = std::exp(logits[k] - largest);
  for (int64_t k = 0; k < classes; k++) p[k] /= sum;
  return largest + std::log(sum);
}

template <typename T>
void add_pixel(const T *logits, int64_t label, int64_t classes, double least, T *p, double *into) {
  T log_sum = softmax(logits, classes, p);
  int64_t best = 0;
  for (int64_t k = 0; k < classes; k++) {
    if (p[k] > p[best]) best = k;
    into[k * sums + predicted] += p[k];
    into[k * sums + squares] += p[k] * p[k];
  }
  double *own = into + label * sums;
  own[overlap] += p[label];
  own[truth] += 1;
  own[logs] += logits[label] - log_sum;
  own[clamped_logs] += std::log(std::clamp<double>(p[label], least, 1));
  into[best * sums + chosen] += 1;
  if (best == label) own[chosen_overlap] += 1;
}

/// Computes the gradient by one pixel's logits. d is the gradient by the image's sums, [classes, sums].
template <typename T, typename R>
void pixel_gradient(const T *logits, int64_t label, int64_t classes, double least, const R *d, T *p, T *result) {
  softmax(logits, classes, p);
  T mean = 0;
  for (int64_t k = 0; k < classes; k++) {
    T g = d[k * sums + predicted] + 2 * p[k] * d[k * sums + squares];
    if (k == label) {
      g += d[k * sums + overlap];
      if (p[k] >= least) g += d[k * sums + clamped_logs] / p[k];
    }
    result[k] = g;
    mean += g * p[k];
  }
  T likelihood = d[label * sums + logs];
  for (int64_t k = 0; k < classes; k++) result[k] = p[k] * (result[k] - mean) + likelihood * (T(k == label) - p[k]);
}

struct ClassSums : torch::autograd::Function<ClassSums> {
  static Tensor forward(AutogradContext *context, const Tensor &logits, const Tensor &labels, double least) {
    context->save_for_backward({logits, labels});
    context->saved_data["least"] = least;
    if (gpu::takes(logits)) return gpu::class_sums(logits, labels, least);
    int64_t images = logits.size(0), classes = logits.size(1), pixels = labels.numel() / images;
    auto result = at::empty({images, classes, sums}, logits.options());
    auto work = [&](auto type) {
      using T = decltype(type);
      for (int64_t n = 0; n < images; n++) {
        Tasks tasks(pixels, classes);
        std::vector<double> parts(tasks.count * classes * sums);
        tasks.run([&](int64_t first, int64_t count, int64_t task) {
          std::vector<T> p(classes);
          for (int64_t i = n * pixels + first; i < n * pixels + first + count; i++) {
            add_pixel(values<T>(logits) + i * classes, values<int64_t>(labels)[i], classes, least, p.data(),
                      &parts[task * classes * sums]);
          }
        });
        auto sum = total(parts, classes * sums);
        std::copy(sum.begin(), sum.end(), mutable_values<T>(result) + n * classes * sums);
      }
    };
    logits.scalar_type() == at::kDouble ? work(double()) : work(float());
    return result;
  }

  static tensor_list backward(AutogradContext *context, tensor_list gradients) {
    auto saved = context->get_saved_variables();
    auto [logits, labels] = std::tie(saved[0], saved[1]);
    double least = context->saved_data["least"].toDouble();
    auto d = gradients[0].contiguous();
    if (gpu::takes(logits)) return {gpu::class_gradient(logits, labels, d, least), Tensor(), Tensor()};
    int64_t images = logits.size(0), classes = logits.size(1), pixels = labels.numel() / images;
    auto result = at::empty_like(logits);
    auto work = [&](auto type) {
      using T = decltype(type);
      Tasks(images * pixels, classes).run([&](int64_t first, int64_t count, int64_t) {
        std::vector<T> p(classes);
        for (int64_t i = first; i < first + count; i++) {
          pixel_gradient(values<T>(logits) + i * classes, values<int64_t>(labels)[i], classes, least,
                         values<T>(d) + i / pixels * classes * sums, p.data(), mutable_values<T>(result) + i * classes);
        }
      });
    };
    logits.scalar_type() == at::kDouble ? work(double()) : work(float());
    return {result, Tensor(), Tensor()};
  }
};

}  // namespace

CTTensor *ct_class_sums(const CTTensor *logits, const CTTensor *labels, double least) {
  return tensor([&] {
    auto &shape = logits->value;
    TORCH_CHECK(labels->value.scalar_type() == at::kLong && labels->value.dim() == 3 && labels->value.size(0) == shape.size(0) &&
                    labels->value.size(1) == shape.size(2) && labels->value.size(2) == shape.size(3),
                "labels that are not int64 or not of the shape of the logits");
    // Reading values would make a GPU wait. There a wrong label counts for no class.
    if (labels->value.is_cpu()) {
      auto [low, high] = at::aminmax(labels->value);
      TORCH_CHECK(low.item<int64_t>() >= 0 && high.item<int64_t>() < logits->value.size(1), "a label is not of ",
                  logits->value.size(1), " classes");
    }
    return ClassSums::apply(logits->value.contiguous(channels_last), labels->value.contiguous(), least);
  });
}
