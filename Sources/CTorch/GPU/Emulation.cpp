#include "Runtime.h"

#ifdef DUALNORM_EMULATED_GPU

#include <barrier>
#include <cmath>
#include <cstring>
#include <functional>
#include <mutex>
#include <thread>

// The kernels as C++, for tests of them and of what launches them on machines without a GPU: a block's threads are threads
// of the CPU, and one block runs after the other.

namespace {

struct Index {
  unsigned x, y;
};
thread_local Index threadIdx, blockIdx;
thread_local Index gridDim;
thread_local std::barrier<> *block_barrier;

void __syncthreads() { block_barrier->arrive_and_wait(); }

#define DEVICE inline
#define SHARED static
#define KERNEL(name) static void name

inline float float_of_bits(unsigned bits) { return std::bit_cast<float>(bits); }
inline unsigned bits_of_float(float value) { return std::bit_cast<unsigned>(value); }

using std::exp, std::log, std::sqrt, std::pow;

/// Calls kernel with the arguments that lie at these places.
template <typename... Parameters>
void call(void (*kernel)(Parameters...), void **places) {
  [&]<size_t... index>(std::index_sequence<index...>) {
    kernel(*static_cast<std::remove_const_t<Parameters> *>(places[index])...);
  }(std::index_sequence_for<Parameters...>());
}

using Kernel = std::function<void(void **)>;
using Kernels = std::map<std::string, Kernel>;

#define ENTRY(name) {#name, [](void **places) { call(name, places); }}

#define THREADS gpu::threads_of_emulation
constexpr int adam_batch = gpu::adam_batch;

#include "Common.cu"

#define NORM_KERNELS                                                                                          \
  ENTRY(moments), ENTRY(statistics), ENTRY(scale_relu), ENTRY(region_relu), ENTRY(channel_sums),              \
      ENTRY(scale_relu_sums), ENTRY(region_relu_sums), ENTRY(total_sums), ENTRY(total_gradients),             \
      ENTRY(scale_relu_input), ENTRY(region_relu_input), ENTRY(add_bias), ENTRY(pool), ENTRY(pool_input)

#define REAL float
#define STORED float
#define VALUES 4
namespace float4 {
#include "Norm.cu"
const Kernels kernels = {NORM_KERNELS};
}  // namespace float4
#undef VALUES
#define VALUES 1
namespace float1 {
#include "Norm.cu"
const Kernels kernels = {NORM_KERNELS};
}  // namespace float1
#define CLASSES 2
namespace classes2 {
#include "ClassSums.cu"
const Kernels kernels = {ENTRY(class_sums), ENTRY(class_totals), ENTRY(class_gradient)};
}  // namespace classes2
#undef CLASSES
#define CLASSES 4
namespace classes4 {
#include "ClassSums.cu"
const Kernels kernels = {ENTRY(class_sums), ENTRY(class_totals), ENTRY(class_gradient)};
}  // namespace classes4
#undef CLASSES
namespace adam_float {
#include "Adam.cu"
const Kernels kernels = {ENTRY(adam)};
}  // namespace adam_float
#undef STORED
#undef VALUES
#define STORED BFloat16
#define VALUES 8
namespace bfloat8 {
#include "Norm.cu"
const Kernels kernels = {NORM_KERNELS};
}  // namespace bfloat8
#undef STORED
#undef VALUES
#undef REAL
#define REAL double
#define STORED double
#define VALUES 2
namespace double2 {
#include "Norm.cu"
const Kernels kernels = {NORM_KERNELS};
}  // namespace double2
#undef VALUES
#define VALUES 1
namespace double1 {
#include "Norm.cu"
const Kernels kernels = {NORM_KERNELS};
}  // namespace double1
#define CLASSES 2
namespace double_classes2 {
#include "ClassSums.cu"
const Kernels kernels = {ENTRY(class_sums), ENTRY(class_totals), ENTRY(class_gradient)};
}  // namespace double_classes2
#undef CLASSES
#define CLASSES 4
namespace double_classes4 {
#include "ClassSums.cu"
const Kernels kernels = {ENTRY(class_sums), ENTRY(class_totals), ENTRY(class_gradient)};
}  // namespace double_classes4

const Kernels &kernels(const gpu::Program &program) {
  using gpu::Source;
  static const std::map<std::tuple<Source, at::ScalarType, int>, const Kernels *> all = {
      {{Source::norm, at::kFloat, 4}, &float4::kernels},
      {{Source::norm, at::kFloat, 1}, &float1::kernels},
      {{Source::norm, at::kBFloat16, 8}, &bfloat8::kernels},
      {{Source::norm, at::kDouble, 2}, &double2::kernels},
      {{Source::norm, at::kDouble, 1}, &double1::kernels},
      {{Source::class_sums, at::kFloat, 2}, &classes2::kernels},
      {{Source::class_sums, at::kFloat, 4}, &classes4::kernels},
      {{Source::class_sums, at::kDouble, 2}, &double_classes2::kernels},
      {{Source::class_sums, at::kDouble, 4}, &double_classes4::kernels},
      {{Source::adam, at::kFloat, 1}, &adam_float::kernels},
  };
  auto place = all.find({program.source, program.stored, std::max(program.values, program.classes)});
  TORCH_CHECK(place != all.end(), "no emulated kernels of this type, width or number of classes");
  return *place->second;
}

}  // namespace

void gpu::emulate(const Program &program, const char *name, Blocks blocks, void **arguments) {
  auto &kernel = kernels(program).at(name);
  static std::mutex one;  // shared memory is one block's at a time
  std::lock_guard lock(one);
  std::barrier<> barrier(threads_of_emulation);
  auto run = [&](unsigned thread) {
    threadIdx = {thread, 0};
    gridDim = {static_cast<unsigned>(blocks.x), static_cast<unsigned>(blocks.y)};
    block_barrier = &barrier;
    for (unsigned y = 0; y < blocks.y; y++) {
      for (unsigned x = 0; x < blocks.x; x++) {
        blockIdx = {x, y};
        kernel(arguments);
        __syncthreads();
      }
    }
  };
  std::vector<std::thread> block;
  for (unsigned thread = 0; thread < threads_of_emulation; thread++) block.emplace_back(run, thread);
  for (auto &thread : block) thread.join();
}

#endif
