#include "Parallel.h"

#include <ATen/Parallel.h>
#include <dlfcn.h>
#include <atomic>
#include <exception>

namespace {

/// The entry of GCC's OpenMP library, whose threads LibTorch uses.
///
/// at::parallel_for runs on one thread unless compiled for OpenMP. A second OpenMP library would add its own threads.
using Region = void (*)(void (*)(void *), void *, unsigned threads, unsigned flags);

Region region() {
  static auto found = reinterpret_cast<Region>(dlsym(RTLD_DEFAULT, "GOMP_parallel"));
  return found;
}

struct Work {
  int64_t count;
  const std::function<void(int64_t)> &body;
  std::atomic<int64_t> next = 0;
  std::atomic_flag has_failed;
  std::exception_ptr failure;

  void run() noexcept {
    try {
      for (int64_t i = next++; i < count; i = next++) body(i);
    } catch (...) {
      if (!has_failed.test_and_set()) failure = std::current_exception();
    }
  }
};

}  // namespace

void run_parallel(int64_t count, const std::function<void(int64_t)> &body) {
  auto threads = std::min<int64_t>(count, at::get_num_threads());
  if (threads <= 1 || at::in_parallel_region() || !region()) {
    for (int64_t i = 0; i < count; i++) body(i);
    return;
  }
  Work work{count, body};
  region()([](void *data) { static_cast<Work *>(data)->run(); }, &work, static_cast<unsigned>(threads), 0);
  if (work.failure) std::rethrow_exception(work.failure);
}
