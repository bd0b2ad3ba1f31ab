// Shared by the C functions: the guard, and the contents of handles.
#pragma once

#if !__has_include(<ATen/ATen.h>)
#error "LibTorch's headers were not found under .deps/libtorch; run `make deps` in the package's folder first."
#endif

#include <ATen/core/Tensor.h>
#include <c10/core/GradMode.h>
#include <string>
#include "CGuard.h"
#include "CTorch.h"

struct CTTensor {
  at::Tensor value;
};

struct CTGenerator {
  at::Generator value;
};

struct LibTorch {
  using Scope = cguard::NoScope;

  static std::string message(const std::exception &error) {
    const auto *own = dynamic_cast<const c10::Error *>(&error);
    return own ? own->what_without_backtrace() : error.what();
  }
};

/// Runs `body`. A failure becomes `failure` and the message of ct_error.
template <typename Result, typename Body>
Result guard(Result failure, Body &&body) noexcept {
  return cguard::run<LibTorch>(failure, body);
}

/// Guards a `body` without a result. False after a failure.
template <typename Body>
bool act(Body &&body) noexcept {
  return guard(false, [&] {
    body();
    return true;
  });
}

/// Guards a `body` that changes tensors, outside autograd.
template <typename Body>
bool act_without_gradients(Body &&body) noexcept {
  return act([&] {
    c10::NoGradGuard no_gradients;
    body();
  });
}

/// Guards a `body` that returns a tensor.
template <typename Body>
CTTensor *tensor(Body &&body) noexcept {
  return guard(static_cast<CTTensor *>(nullptr), [&] { return new CTTensor{body()}; });
}

inline at::IntArrayRef shape(const ptrdiff_t *sizes, ptrdiff_t rank) {
  static_assert(sizeof(ptrdiff_t) == sizeof(int64_t));
  return {reinterpret_cast<const int64_t *>(sizes), static_cast<size_t>(rank)};
}

inline std::optional<at::Tensor> optional(const CTTensor *tensor) {
  return tensor ? std::optional<at::Tensor>(tensor->value) : std::nullopt;
}
