#include <c10/core/impl/VirtualGuardImpl.h>
#include <dlfcn.h>
#include "../Guard.h"

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

}  // namespace

struct CTGraph {
  alignas(16) std::byte graph[1024];  // of which CUDAGraph takes some 200
  c10::Device device;
  c10::Stream before, own;

  explicit CTGraph(c10::Device device)
      : device(device), before(c10::Stream::DEFAULT, device), own(c10::Stream::DEFAULT, device) {
    c10::impl::VirtualGuardImpl guard(device.type());
    guard.synchronizeDevice(device.index());
    before = guard.getStream(device);
    // Not of the default stream, which cannot be noted.
    own = guard.getStreamFromGlobalPool(device);
    Functions::all().construct(graph, false);
  }
  ~CTGraph() { Functions::all().destruct(graph); }

  void use(const c10::Stream &stream) { c10::impl::VirtualGuardImpl(device.type()).exchangeStream(stream); }
};

CTGraph *ct_graph_begin(int32_t device) {
  return guard(static_cast<CTGraph *>(nullptr), [&] {
    auto graph = std::make_unique<CTGraph>(c10::Device(at::kCUDA, static_cast<c10::DeviceIndex>(device)));
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

bool ct_graph_end(CTGraph *graph) {
  return guard(false, [&] {
    Functions::all().end(graph->graph);
    graph->use(graph->before);
    return true;
  });
}

bool ct_graph_replay(CTGraph *graph) {
  return guard(false, [&] {
    Functions::all().replay(graph->graph);
    return true;
  });
}

void ct_graph_free(CTGraph *graph) { delete graph; }
