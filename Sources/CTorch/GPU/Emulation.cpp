#include "Runtime.h"

#ifdef DUALNORM_EMULATED_GPU

#include <barrier>
#include <cmath>
#include <cstring>
#include <functional>
#include <map>
#include <mutex>
#include <thread>

// The kernels compiled as C++, so that tests run them and their launches without a GPU. Threads of the CPU stand for the
// threads of a block. Blocks run one after the other.

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
#define KERNEL(name) void name

inline float float_of_bits(unsigned bits) { return std::bit_cast<float>(bits); }
inline unsigned bits_of_float(float value) { return std::bit_cast<unsigned>(value); }

using std::exp, std::log, std::sqrt, std::pow;

#define THREADS gpu::threads_of_emulation
constexpr int adam_batch = gpu::adam_batch;

#include "Common.cu"

using Kernels = std::map<std::string, std::function<void(void **)>>;
/// A source, its stored type, and its values per thread or its classes.
using Key = std::tuple<gpu::Source, at::ScalarType, int>;

/// Calls a kernel with the arguments at these places.
template <typename Set, typename... Parameters>
void call(void (Set::*kernel)(Parameters...), void **places) {
  [&]<size_t... index>(std::index_sequence<index...>) {
    (Set().*kernel)(*static_cast<Parameters *>(places[index])...);
  }(std::index_sequence_for<Parameters...>());
}

template <typename STORED>
using Real = std::conditional_t<std::is_same_v<STORED, double>, double, float>;

template <typename STORED>
constexpr at::ScalarType scalar_type = std::is_same_v<STORED, double>  ? at::kDouble
                                       : std::is_same_v<STORED, float> ? at::kFloat
                                                                       : at::kBFloat16;

// The sources below become member functions of templates over the constants that NVRTC defines as macros.
#define ENTRY(name) {#name, [](void **places) { call(&Set::name, places); }}

template <typename STORED, int VALUES>
struct NormKernels {
  static_assert(VALUES == 1 || VALUES * sizeof(STORED) == 16, "a thread reads one value or 16 bytes at once");
  using Set = NormKernels;
  using REAL = Real<STORED>;
#include "Values.cu"
#include "Norm.cu"
#include "Pool.cu"
  static constexpr Key key{gpu::Source::norm, scalar_type<STORED>, VALUES};
  static Kernels all() {
    return {ENTRY(moments), ENTRY(statistics), ENTRY(scale_relu), ENTRY(region_relu), ENTRY(channel_sums),
            ENTRY(scale_relu_sums), ENTRY(region_relu_sums), ENTRY(total_sums), ENTRY(total_gradients),
            ENTRY(scale_relu_input), ENTRY(region_relu_input), ENTRY(add_bias), ENTRY(pool), ENTRY(pool_input)};
  }
};

#undef FOR_VALUES
#undef FOR_PIXELS

template <typename STORED, int CLASSES>
struct ClassKernels {
  static_assert(CLASSES > 1, "one class alone needs no sums");
  using Set = ClassKernels;
  using REAL = Real<STORED>;
#include "ClassSums.cu"
  static constexpr Key key{gpu::Source::class_sums, scalar_type<STORED>, CLASSES};
  static Kernels all() { return {ENTRY(class_sums), ENTRY(class_totals), ENTRY(class_gradient)}; }
};

template <typename STORED>
struct AdamKernels {
  static_assert(std::is_same_v<STORED, Real<STORED>>, "Adam calculates with the stored type");
  using Set = AdamKernels;
  using REAL = STORED;
#include "Adam.cu"
  static constexpr Key key{gpu::Source::adam, scalar_type<STORED>, 1};
  static Kernels all() { return {ENTRY(adam)}; }
};

template <typename... Sets>
std::map<Key, Kernels> collected() {
  return {{Sets::key, Sets::all()}...};
}

const Kernels &kernels(const gpu::Program &program) {
  static const auto all =
      collected<NormKernels<float, 4>, NormKernels<float, 1>, NormKernels<BFloat16, 8>, NormKernels<double, 2>,
                NormKernels<double, 1>, ClassKernels<float, 2>, ClassKernels<float, 4>, ClassKernels<double, 2>,
                ClassKernels<double, 4>, AdamKernels<float>>();
  auto place = all.find({program.source, program.stored, std::max(program.values, program.classes)});
  TORCH_CHECK(place != all.end(), "no emulated kernels of this type, width or number of classes");
  return place->second;
}

}  // namespace

void gpu::emulate(const Program &program, const char *name, Blocks blocks, void **arguments) {
  auto &kernel = kernels(program).at(name);
  static std::mutex mutex;  // Shared memory belongs to one block at a time.
  std::lock_guard lock(mutex);
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
