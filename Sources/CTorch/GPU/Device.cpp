#include <ATen/Context.h>
#include <ATen/detail/CUDAHooksInterface.h>
#include <c10/core/CachingDeviceAllocator.h>
#include <c10/core/impl/VirtualGuardImpl.h>
#include "../Fused/Processor.h"
#include "../Support.h"
#include "Library.h"
#include "Runtime.h"

static at::Device device(int32_t index) {
  if (index == CTDeviceCPU) return at::kCPU;
  return {at::kCUDA, static_cast<c10::DeviceIndex>(index)};
}

bool ct_load_cuda(void) {
  return act([] {
    gpu::load_library();
    at::globalContext().setAllowTF32CuDNN(false);  // float32 means float32
    at::globalContext().setDeterministicCuDNN(true);
  });
}

ptrdiff_t ct_gpu_count(void) {
  return guard(ptrdiff_t(0), []() -> ptrdiff_t {
    const auto &hooks = at::detail::getCUDAHooks();
    return hooks.hasCUDA() ? hooks.deviceCount() : 0;
  });
}

bool ct_has_bfloat16(int32_t index) {
  return guard(false, [&] {
    if (index == CTDeviceCPU) return processor::has_bfloat16_vectors() || processor::has_bfloat16_tiles();
    return gpu::has_bfloat16(index);
  });
}

int32_t ct_device(const CTTensor *x) {
  return guard(static_cast<int32_t>(CTDeviceCPU), [&] {
    return x->value.is_cpu() ? static_cast<int32_t>(CTDeviceCPU) : x->value.get_device();
  });
}

CTTensor *ct_to_device(const CTTensor *x, int32_t index) {
  return tensor([&] {
    if (index == CTDeviceCPU || !x->value.is_cpu()) return x->value.to(device(index));
    // From page-locked memory a GPU copies while the CPU goes on.
    return x->value.pin_memory().to(device(index), /*non_blocking=*/true);
  });
}

const char *ct_why_not_fused(int32_t index) {
  return guard("an unknown C++ exception", [&] { return index == CTDeviceCPU ? nullptr : gpu::failure(index); });
}

ptrdiff_t ct_gpu_peak_memory(int32_t index) {
  return guard(ptrdiff_t(0), [&]() -> ptrdiff_t {
    auto statistics = c10::getDeviceAllocator(at::kCUDA)->getDeviceStats(static_cast<c10::DeviceIndex>(index));
    return statistics.reserved_bytes[0].peak;
  });
}

void ct_synchronize(int32_t index) {
  if (index == CTDeviceCPU) return;
  act([&] { c10::impl::VirtualGuardImpl(at::kCUDA).synchronizeDevice(static_cast<c10::DeviceIndex>(index)); });
}
