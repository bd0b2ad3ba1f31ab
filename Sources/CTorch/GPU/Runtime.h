#pragma once

#include <ATen/core/Tensor.h>
#include <string>

/// GPU kernels of DualNorm. NVRTC, which comes with LibTorch's CUDA library, compiles them at first use.
///
/// Building DualNorm needs no CUDA. The kernels run on LibTorch's current stream.
namespace gpu {

/// Tells whether x's fused operations run these kernels: x is on a GPU, or the GPU is emulated.
bool takes(const at::Tensor &x);

/// Returns why kernels cannot be compiled for and run on this GPU; null if they can.
const char *failure(int32_t device);

/// Tells whether a GPU multiplies bfloat16 in hardware.
bool has_bfloat16(int32_t device);

enum class Source { norm, class_sums, adam };

/// A source with its constants.
struct Program {
  Source source;
  at::ScalarType stored;
  int values = 1;  // read by a thread at once
  int classes = 1;
};

struct Blocks {
  int64_t x, y = 1;
};

/// Threads of a block. The CPU emulates few.
constexpr int threads_of_gpu = 256, threads_of_emulation = 32;
inline int64_t threads(const at::Tensor &x) { return x.is_cuda() ? threads_of_gpu : threads_of_emulation; }

/// Tensors of one launch of Adam, whose arguments take at most 4 KiB.
constexpr int adam_batch = 80;

/// Returns the number of blocks that a GPU runs at once, `share` per multiprocessor.
///
/// Each block has at least `least` of the `work`.
int64_t fitting_blocks(const at::Tensor &x, int64_t work, int64_t least, int share = 4);

void launch_kernel(const at::Tensor &x, const Program &program, const char *name, Blocks blocks, void **arguments);

inline void *argument(const at::Tensor &x) { return x.defined() ? const_cast<void *>(x.const_data_ptr()) : nullptr; }
inline int argument(int value) { return value; }
inline long long argument(int64_t value) { return value; }
inline double argument(double value) { return value; }
template <typename Struct>
  requires std::is_class_v<Struct>
const Struct &argument(const Struct &value) { return value; }

/// Launches a kernel on x's device. Tensors become pointers, undefined ones null.
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
/// Runs a kernel on the CPU.
void emulate(const Program &program, const char *name, Blocks blocks, void **arguments);
#endif

}  // namespace gpu
