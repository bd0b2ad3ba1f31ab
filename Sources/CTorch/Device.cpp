#include <ATen/detail/CUDAHooksInterface.h>
#include <dlfcn.h>
#include "Guard.h"

static at::Device device(int32_t index) {
  if (index == CTDeviceCPU) return at::kCPU;
  return {at::kCUDA, static_cast<c10::DeviceIndex>(index)};
}

bool ct_load_cuda(void) {
  return guard(false, [] {
    static const std::string failure = [] {
      const std::string name = "libtorch_cuda.so";
      Dl_info half;
      std::string beside = name;
      if (dladdr(reinterpret_cast<const void *>(&at::globalContext), &half) && half.dli_fname)
        beside = std::string(half.dli_fname).substr(0, std::string(half.dli_fname).rfind('/') + 1) + name;
      // Its constructors register the operations of GPUs; it finds NVIDIA's libraries by its own path.
      if (dlopen(beside.c_str(), RTLD_LAZY | RTLD_GLOBAL) || dlopen(name.c_str(), RTLD_LAZY | RTLD_GLOBAL))
        return std::string();
      return std::string(dlerror());
    }();
    TORCH_CHECK(failure.empty(), failure);
    // As on the CPU: float32 means float32, and the same seed the same result as far as cuDNN has it.
    at::globalContext().setAllowTF32CuDNN(false);
    at::globalContext().setDeterministicCuDNN(true);
    return true;
  });
}

ptrdiff_t ct_gpu_count(void) {
  return guard(ptrdiff_t(0), []() -> ptrdiff_t {
    const auto &hooks = at::detail::getCUDAHooks();
    return hooks.hasCUDA() ? hooks.deviceCount() : 0;
  });
}

int32_t ct_device(const CTTensor *x) {
  return x->value.is_cpu() ? static_cast<int32_t>(CTDeviceCPU) : x->value.get_device();
}

CTTensor *ct_to_device(const CTTensor *x, int32_t index) {
  return tensor([&] { return x->value.to(device(index)); });
}
