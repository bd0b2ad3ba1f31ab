#pragma once

#if !__has_include(<ATen/ATen.h>)
#error "LibTorch's headers were not found under .deps/libtorch; run `make deps` first."
#endif

#include <ATen/ATen.h>
#include <c10/core/GradMode.h>
#include <string>
#include "CTorch.h"

struct CTTensor {
  at::Tensor value;
};

/// Keeps the message for ct_error.
void ct_keep_error(const std::string &message);

/// Runs `body` and returns its result; on an exception keeps its message and returns `failure`.
template <typename Result, typename Body>
Result guard(Result failure, Body body) noexcept {
  try {
    return body();
  } catch (const c10::Error &error) {
    ct_keep_error(error.what_without_backtrace());
  } catch (const std::exception &error) {
    ct_keep_error(error.what());
  } catch (...) {
    ct_keep_error("unknown C++ exception");
  }
  return failure;
}

/// `guard` for a tensor.
template <typename Body>
CTTensor *tensor(Body body) noexcept {
  return guard(static_cast<CTTensor *>(nullptr), [&] { return new CTTensor{body()}; });
}

/// `guard` for an action outside autograd.
template <typename Body>
bool act(Body body) noexcept {
  return guard(false, [&] {
    c10::NoGradGuard no_gradients;
    body();
    return true;
  });
}

inline at::IntArrayRef shape(const ptrdiff_t *sizes, ptrdiff_t rank) {
  static_assert(sizeof(ptrdiff_t) == sizeof(int64_t));
  return {reinterpret_cast<const int64_t *>(sizes), static_cast<size_t>(rank)};
}

inline std::optional<at::Tensor> optional(const CTTensor *tensor) {
  return tensor ? std::optional<at::Tensor>(tensor->value) : std::nullopt;
}
