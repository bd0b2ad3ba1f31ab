#pragma once

#include <ATen/ATen.h>
#include <string>

/// Kernels of our own on GPUs. They are compiled at first use, by NVRTC, which comes with LibTorch's CUDA half, so that
/// building this needs no CUDA. They run on the stream that LibTorch's own operations run on.
namespace gpu {

/// Whether x's fused operations are these kernels: it is on a GPU, or the GPU is emulated.
bool takes(const at::Tensor &x);

/// Null if kernels can be compiled for and run on this GPU, or else why not.
const char *failure(int32_t device);

/// Whether it multiplies bfloat16 on units of their own.
bool has_bfloat16(int32_t device);

enum class Source { norm, class_sums, adam };

/// A source and what its constants are.
struct Program {
  Source source;
  at::ScalarType stored;
  int values = 1;   // that a thread reads at once
  int classes = 1;
};

struct Blocks {
  int64_t x, y = 1;
};

/// Threads of every block: few where the CPU's are to do.
constexpr int threads_of_gpu = 256, threads_of_emulation = 32;
inline int64_t threads(const at::Tensor &x) { return x.is_cuda() ? threads_of_gpu : threads_of_emulation; }

/// Tensors that one launch of Adam takes: what its arguments may be is 4 KiB.
constexpr int adam_batch = 80;

/// As many blocks as this GPU runs at once, each `share` of a multiprocessor; at most one for `least` of `work`.
int64_t fitting_blocks(const at::Tensor &x, int64_t work, int64_t least, int share = 4);

void launch_kernel(const at::Tensor &x, const Program &program, const char *name, Blocks blocks, void **arguments);

inline void *argument(const at::Tensor &x) { return x.defined() ? const_cast<void *>(x.const_data_ptr()) : nullptr; }
inline int argument(int value) { return value; }
inline long long argument(int64_t value) { return value; }
inline double argument(double value) { return value; }
template <typename Struct>
  requires std::is_class_v<Struct>
const Struct &argument(const Struct &value) { return value; }

/// Runs a kernel for x on x's device: tensors are passed as pointers, undefined ones as null.
template <typename... Arguments>
void launch(const at::Tensor &x, const Program &program, const char *name, Blocks blocks, const Arguments &...arguments) {
  auto lies_elsewhere = [&](const auto &value) {
    if constexpr (std::is_same_v<decltype(value), const at::Tensor &>) return value.defined() && value.device() != x.device();
    return false;
  };
  TORCH_CHECK(!(lies_elsewhere(arguments) || ...), name, " takes tensors of one device only");
  std::tuple<decltype(argument(arguments))...> values{argument(arguments)...};
  std::apply([&](auto &...value) {
    void *places[] = {const_cast<void *>(static_cast<const void *>(&value))...};
    launch_kernel(x, program, name, blocks, places);
  }, values);
}

#ifdef DUALNORM_EMULATED_GPU
/// Runs a kernel of the same source on the CPU.
void emulate(const Program &program, const char *name, Blocks blocks, void **arguments);
#endif

}  // namespace gpu
