#include <c10/core/CachingDeviceAllocator.h>
#include <c10/core/DeviceGuard.h>
#include <c10/core/impl/VirtualGuardImpl.h>
#include <dlfcn.h>
#include <map>
#include <mutex>
#include "../Support.h"

// LibTorch's at::cuda::CUDAGraph, which keeps the memory of what it notes. It lives in the CUDA half, which is not there
// when this is linked, so that its functions are looked up by name; LibTorch's version is fixed.
namespace {

struct Functions {
  void (*construct)(void *, bool);
  void (*destruct)(void *);
  void (*begin)(void *, std::pair<unsigned long long, unsigned long long>, int);
  void (*end)(void *);
  void (*replay)(void *);

  Functions() {
    auto find = [](auto &function, const char *name) {
      function = reinterpret_cast<std::remove_reference_t<decltype(function)>>(dlsym(RTLD_DEFAULT, name));
      TORCH_CHECK(function, "LibTorch's CUDA half has no ", name);
    };
    find(construct, "_ZN2at4cuda9CUDAGraphC1Eb");
    find(destruct, "_ZN2at4cuda9CUDAGraphD1Ev");
    find(begin, "_ZN2at4cuda9CUDAGraph13capture_beginESt4pairIyyE21cudaStreamCaptureMode");
    find(end, "_ZN2at4cuda9CUDAGraph11capture_endEv");
    find(replay, "_ZN2at4cuda9CUDAGraph6replayEv");
  }

  static const Functions &all() {
    static const Functions functions;
    return functions;
  }
};

/// Not the default one, which cannot be noted; one for all graphs, since LibTorch keeps memory for each stream.
c10::Stream stream_to_note(c10::Device device) {
  static std::mutex mutex;
  static std::map<c10::DeviceIndex, c10::Stream> streams;
  std::lock_guard lock(mutex);
  auto place = streams.find(device.index());
  if (place == streams.end())
    place = streams.emplace(device.index(), c10::impl::VirtualGuardImpl(device.type()).getStreamFromGlobalPool(device)).first;
  return place->second;
}

}  // namespace

struct CTGraph {
  alignas(16) std::byte graph[1024];  // of which CUDAGraph takes some 200
  c10::Device device;
  c10::Stream before, own;

  explicit CTGraph(c10::Device device)
      : device(device), before(c10::Stream::DEFAULT, device), own(c10::Stream::DEFAULT, device) {
    c10::impl::VirtualGuardImpl implementation(device.type());
    implementation.synchronizeDevice(device.index());
    // While it notes, LibTorch gives no memory back that earlier work has left.
    c10::getDeviceAllocator(device.type())->emptyCache();
    before = implementation.getStream(device);
    own = stream_to_note(device);
    Functions::all().construct(graph, false);
  }
  ~CTGraph() { Functions::all().destruct(graph); }

  void use(const c10::Stream &stream) { c10::impl::VirtualGuardImpl(device.type()).exchangeStream(stream); }
};

CTGraph *ct_graph_begin_capture(int32_t device) {
  return guard(static_cast<CTGraph *>(nullptr), [&] {
    c10::Device gpu(at::kCUDA, static_cast<c10::DeviceIndex>(device));
    c10::DeviceGuard guard(gpu);
    auto graph = std::make_unique<CTGraph>(gpu);
    graph->use(graph->own);
    try {
      Functions::all().begin(graph->graph, {0, 0}, 0);
    } catch (...) {
      graph->use(graph->before);
      throw;
    }
    return graph.release();
  });
}

bool ct_graph_end_capture(CTGraph *graph) {
  return guard(false, [&] {
    c10::DeviceGuard guard(graph->device);
    Functions::all().end(graph->graph);
    graph->use(graph->before);
    return true;
  });
}

bool ct_graph_replay(CTGraph *graph) {
  return guard(false, [&] {
    c10::DeviceGuard guard(graph->device);
    Functions::all().replay(graph->graph);
    return true;
  });
}

void ct_graph_free(CTGraph *graph) { delete graph; }
