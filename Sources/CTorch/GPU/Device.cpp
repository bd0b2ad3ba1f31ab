#include <ATen/detail/CUDAHooksInterface.h>
#include <c10/core/CachingDeviceAllocator.h>
#include <c10/core/impl/VirtualGuardImpl.h>
#include <dlfcn.h>
#include <unistd.h>
#include "../Fused/Processor.h"
#include "../Support.h"
#include "Runtime.h"

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
    at::globalContext().setAllowTF32CuDNN(false);  // float32 means float32
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

bool ct_has_bfloat16(int32_t index) {
  if (index == CTDeviceCPU) return processor::has_bfloat16_vectors() || processor::has_bfloat16_tiles();
  return guard(false, [&] { return gpu::has_bfloat16(index); });
}

int32_t ct_device(const CTTensor *x) {
  return x->value.is_cpu() ? static_cast<int32_t>(CTDeviceCPU) : x->value.get_device();
}

CTTensor *ct_to_device(const CTTensor *x, int32_t index) {
  return tensor([&] {
    if (index == CTDeviceCPU || !x->value.is_cpu()) return x->value.to(device(index));
    // Out of page-locked memory a GPU copies while both go on.
    return x->value.pin_memory().to(device(index), /*non_blocking=*/true);
  });
}

const char *ct_why_not_fused(int32_t index) { return index == CTDeviceCPU ? nullptr : gpu::failure(index); }

ptrdiff_t ct_gpu_peak_memory(int32_t index) {
  return guard(ptrdiff_t(0), [&]() -> ptrdiff_t {
    auto statistics = c10::getDeviceAllocator(at::kCUDA)->getDeviceStats(static_cast<c10::DeviceIndex>(index));
    return statistics.reserved_bytes[0].peak;
  });
}

void ct_synchronize(int32_t index) {
  if (index == CTDeviceCPU) return;
  guard(false, [&] {
    c10::impl::VirtualGuardImpl(at::kCUDA).synchronizeDevice(static_cast<c10::DeviceIndex>(index));
    return true;
  });
}
