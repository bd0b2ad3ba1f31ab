#include <ATen/detail/CUDAHooksInterface.h>
#include <dlfcn.h>
#include <unistd.h>
#include "Guard.h"

static at::Device device(int32_t index) {
  if (index == CTDeviceCPU) return at::kCPU;
  return {at::kCUDA, static_cast<c10::DeviceIndex>(index)};
}

bool ct_load_cuda(void) {
  return guard(false, [] {
    static const std::string failure = [] {
      std::string path = "libtorch_cuda.so";
      Dl_info half;
      if (dladdr(reinterpret_cast<const void *>(&at::globalContext), &half) && half.dli_fname) {
        std::string library = half.dli_fname, beside = library.substr(0, library.rfind('/') + 1) + path;
        if (access(beside.c_str(), F_OK) == 0) path = beside;
      }
      // Its constructors register the operations of GPUs; it finds NVIDIA's libraries by its own path.
      return std::string(dlopen(path.c_str(), RTLD_LAZY | RTLD_GLOBAL) ? "" : dlerror());
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
