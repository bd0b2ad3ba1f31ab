#include "Runtime.h"

#include <ATen/ops/empty.h>
#include <ATen/detail/CUDAHooksInterface.h>
#include <c10/core/DeviceGuard.h>
#include <c10/core/impl/VirtualGuardImpl.h>
#include <dlfcn.h>
#include <map>
#include <mutex>
#include "../Support.h"
#include "Library.h"

// Functions of NVRTC and of CUDA's driver, declared here so that their headers are not needed.
#define FOR_FUNCTIONS(DO)                                                                                          \
  DO(nvrtcCreateProgram, (void **, const char *, const char *, int, const char *const *, const char *const *))    \
  DO(nvrtcCompileProgram, (void *, int, const char *const *))                                                      \
  DO(nvrtcDestroyProgram, (void **))                                                                               \
  DO(nvrtcGetProgramLogSize, (void *, size_t *))                                                                   \
  DO(nvrtcGetProgramLog, (void *, char *))                                                                         \
  DO(nvrtcGetCUBINSize, (void *, size_t *))                                                                        \
  DO(nvrtcGetCUBIN, (void *, char *))                                                                              \
  DO(cuDeviceGet, (int *, int))                                                                                    \
  DO(cuDeviceGetAttribute, (int *, int, int))                                                                      \
  DO(cuModuleLoadData, (void **, const void *))                                                                    \
  DO(cuModuleGetFunction, (void **, void *, const char *))                                                         \
  DO(cuLaunchKernel, (void *, unsigned, unsigned, unsigned, unsigned, unsigned, unsigned, unsigned, void *, void **, void **))

namespace {

struct CUDA {
#define DECLARE(name, parameters) int(*name) parameters = nullptr;
  FOR_FUNCTIONS(DECLARE)
#undef DECLARE

  /// Loads libcaffe2_nvrtc, LibTorch's library that links both.
  CUDA() {
    void *library = dlopen("libcaffe2_nvrtc.so", RTLD_LAZY);
    if (!library) library = dlopen((gpu::library_folder() + "libcaffe2_nvrtc.so").c_str(), RTLD_LAZY);
    TORCH_CHECK(library, "NVRTC cannot be loaded (", dlerror(), ")");
#define FIND(name, parameters)                                  \
  name = reinterpret_cast<decltype(name)>(dlsym(library, #name)); \
  TORCH_CHECK(name, "NVRTC or the driver has no " #name);
    FOR_FUNCTIONS(FIND)
#undef FIND
    // NVRTC finds its built-ins by name alone, not in its own folder.
    Dl_info own;
    if (dladdr(reinterpret_cast<const void *>(nvrtcCompileProgram), &own) && own.dli_fname) {
      std::string path = own.dli_fname;
      dlopen((path.substr(0, path.rfind('/') + 1) + "libnvrtc-builtins.so.13.0").c_str(), RTLD_LAZY);
    }
  }

  static const CUDA &functions() {
    static const CUDA functions;
    return functions;
  }
};

void check(int result, const char *what) { TORCH_CHECK(result == 0, what, " failed with CUDA's error ", result); }

constexpr unsigned char common[] = {
#embed "Common.cu" suffix(, 0)
};
constexpr unsigned char values[] = {
#embed "Values.cu" suffix(, 0)
};
constexpr unsigned char norm[] = {
#embed "Norm.cu" suffix(, 0)
};
constexpr unsigned char pool[] = {
#embed "Pool.cu" suffix(, 0)
};
constexpr unsigned char class_sums[] = {
#embed "ClassSums.cu" suffix(, 0)
};
constexpr unsigned char adam[] = {
#embed "Adam.cu" suffix(, 0)
};

/// The sources' macros and functions in CUDA's terms.
constexpr const char *language = R"(
#define DEVICE __device__ __forceinline__
#define SHARED __shared__
#define KERNEL(name) extern "C" __global__ void __launch_bounds__(THREADS) name
DEVICE float float_of_bits(unsigned bits) { return __uint_as_float(bits); }
DEVICE unsigned bits_of_float(float value) { return __float_as_uint(value); }
)";

int attribute(int32_t device, int which) {
  int handle = 0, value = 0;
  check(CUDA::functions().cuDeviceGet(&handle, device), "cuDeviceGet");
  check(CUDA::functions().cuDeviceGetAttribute(&value, which, handle), "cuDeviceGetAttribute");
  return value;
}

int32_t multiprocessors(int32_t device) {
  static std::mutex mutex;
  static std::map<int32_t, int32_t> known;
  std::lock_guard lock(mutex);
  auto [place, is_new] = known.try_emplace(device);
  if (is_new) place->second = attribute(device, 16);
  return place->second;
}

const char *type_name(at::ScalarType type) {
  return type == at::kDouble ? "double" : type == at::kBFloat16 ? "BFloat16" : "float";
}

std::string text(gpu::Source source) {
  auto of = [](const unsigned char *bytes) { return std::string(reinterpret_cast<const char *>(bytes)); };
  switch (source) {
    case gpu::Source::norm: return language + of(common) + of(values) + of(norm) + of(pool);
    case gpu::Source::class_sums: return language + of(common) + of(class_sums);
    case gpu::Source::adam: return language + of(common) + of(adam);
  }
  TORCH_CHECK(false, "an unknown source of kernels");
}

std::vector<char> compile(const gpu::Program &program, int32_t device) {
  auto &cuda = CUDA::functions();
  std::vector<std::string> options = {
      "--gpu-architecture=sm_" + std::to_string(10 * attribute(device, 75) + attribute(device, 76)), "--std=c++17",
      std::string("-DSTORED=") + type_name(program.stored),
      std::string("-DREAL=") + (program.stored == at::kDouble ? "double" : "float"),
      "-DVALUES=" + std::to_string(program.values), "-DCLASSES=" + std::to_string(program.classes),
      "-DTHREADS=" + std::to_string(gpu::threads_of_gpu), "-Dadam_batch=" + std::to_string(gpu::adam_batch)};
  std::vector<const char *> arguments;
  for (auto &option : options) arguments.push_back(option.c_str());
  void *handle = nullptr;
  auto source = text(program.source);
  check(cuda.nvrtcCreateProgram(&handle, source.c_str(), "dualnorm.cu", 0, nullptr, nullptr), "nvrtcCreateProgram");
  int result = cuda.nvrtcCompileProgram(handle, static_cast<int>(arguments.size()), arguments.data());
  size_t size = 0;
  if (result != 0) {
    cuda.nvrtcGetProgramLogSize(handle, &size);
    std::string log(size, ' ');
    cuda.nvrtcGetProgramLog(handle, log.data());
    cuda.nvrtcDestroyProgram(&handle);
    TORCH_CHECK(false, "NVRTC could not compile a kernel: ", log.c_str());
  }
  check(cuda.nvrtcGetCUBINSize(handle, &size), "nvrtcGetCUBINSize");
  std::vector<char> binary(size);
  check(cuda.nvrtcGetCUBIN(handle, binary.data()), "nvrtcGetCUBIN");
  cuda.nvrtcDestroyProgram(&handle);
  return binary;
}

/// Returns a kernel, compiled at its program's first use on a device. LibTorch has made the device's context current.
void *kernel(const gpu::Program &program, int32_t device, const char *name) {
  static std::mutex mutex;
  static std::map<std::tuple<gpu::Source, at::ScalarType, int, int, int32_t>, void *> modules;
  static std::map<std::pair<void *, std::string>, void *> kernels;
  std::lock_guard lock(mutex);
  auto &module = modules[{program.source, program.stored, program.values, program.classes, device}];
  if (!module) check(CUDA::functions().cuModuleLoadData(&module, compile(program, device).data()), "cuModuleLoadData");
  auto &function = kernels[{module, name}];
  if (!function) check(CUDA::functions().cuModuleGetFunction(&function, module, name), name);
  return function;
}

#ifdef DUALNORM_EMULATED_GPU
thread_local bool emulates = false;
#else
constexpr bool emulates = false;
#endif

}  // namespace

bool gpu::takes(const at::Tensor &x) { return emulates || x.is_cuda(); }

const char *gpu::failure(int32_t device) {
  static std::mutex mutex;
  static std::map<int32_t, std::string> known;
  std::lock_guard lock(mutex);
  auto place = known.find(device);
  if (place == known.end()) {
    std::string reason;
    try {
      at::Device gpu(at::kCUDA, static_cast<c10::DeviceIndex>(device));
      c10::DeviceGuard guard(gpu);
      at::empty({1}, at::TensorOptions(gpu));  // makes the device's context
      kernel({Source::norm, at::kFloat, 4}, device, "moments");
      kernel({Source::class_sums, at::kFloat, 1, 2}, device, "class_sums");
      kernel({Source::adam, at::kFloat}, device, "adam");
    } catch (const std::exception &error) {
      reason = LibTorch::message(error);
    }
    place = known.emplace(device, reason).first;
  }
  return place->second.empty() ? nullptr : place->second.c_str();
}

bool gpu::has_bfloat16(int32_t device) { return attribute(device, 75) >= 8; }  // major compute capability

int64_t gpu::fitting_blocks(const at::Tensor &x, int64_t work, int64_t least, int share) {
  int64_t most = x.is_cuda() ? share * multiprocessors(x.get_device()) : 3;
  return std::clamp<int64_t>((work + least - 1) / least, 1, most);
}

void gpu::launch_kernel(const at::Tensor &x, const Program &program, const char *name, Blocks blocks, void **arguments) {
#ifdef DUALNORM_EMULATED_GPU
  if (!x.is_cuda()) return emulate(program, name, blocks, arguments);
#endif
  c10::DeviceGuard guard(x.device());  // A launch goes to the current device's context.
  auto stream = c10::impl::VirtualGuardImpl(at::kCUDA).getStream(x.device());
  check(CUDA::functions().cuLaunchKernel(kernel(program, x.get_device(), name), blocks.x, blocks.y, 1, threads_of_gpu, 1, 1, 0,
                                         stream.native_handle(), arguments, nullptr),
        name);
}

bool ct_emulate_gpu([[maybe_unused]] bool emulated) {
#ifdef DUALNORM_EMULATED_GPU
  emulates = emulated;
  return true;
#else
  return false;
#endif
}
