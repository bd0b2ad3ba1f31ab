#pragma once

#include <ATen/core/Tensor.h>
#include "Kernels.h"
#include "Parallel.h"

constexpr auto channels_last = at::MemoryFormat::ChannelsLast;

template <typename T>
const T *values(const at::Tensor &x) {
  return x.defined() ? static_cast<const T *>(x.const_data_ptr()) : nullptr;
}

template <typename T>
T *mutable_values(const at::Tensor &x) {
  return static_cast<T *>(x.mutable_data_ptr());
}

/// Calls body with a value of x's element type.
template <typename Body>
void with_type(const at::Tensor &x, const Body &body) {
  switch (x.scalar_type()) {
    case at::kFloat: return body(float());
    case at::kDouble: return body(double());
    case at::kBFloat16: return body(BFloat16());
    default: TORCH_CHECK(false, "no fused operation takes ", x.scalar_type());
  }
}

/// Values per task, about what the second-level cache holds.
///
/// Sums of tasks are added in order, so that results do not depend on the number of threads.
constexpr int64_t task_values = 1 << 16;

/// Tasks of whole rows of `length` values.
struct Tasks {
  int64_t rows, size, count;

  Tasks(int64_t rows, int64_t length) : rows(rows), size(std::max<int64_t>(1, task_values / length)) {
    count = (rows + size - 1) / size;
  }

  int64_t rows_of(int64_t task) const { return std::min(size, rows - task * size); }

  /// Runs body(first row, number of rows, task) for every task, on all threads.
  template <typename Body>
  void run(const Body &body) const {
    run_parallel(count, [&](int64_t task) { body(task * size, rows_of(task), task); });
  }
};

/// Adds up the tasks' results, [tasks, n] -> [n].
template <typename R>
std::vector<double> total(const std::vector<R> &parts, int64_t n) {
  std::vector<double> sums(n);
  for (size_t i = 0; i < parts.size(); i++) sums[i % n] += parts[i];
  return sums;
}
