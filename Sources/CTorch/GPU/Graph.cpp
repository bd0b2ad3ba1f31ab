#include <c10/core/CachingDeviceAllocator.h>
#include <c10/core/DeviceGuard.h>
#include <c10/core/impl/VirtualGuardImpl.h>
#include <dlfcn.h>
#include <torch/headeronly/version.h>
#include <algorithm>
#include <array>
#include <map>
#include <mutex>
#include <string_view>
#include "../Support.h"
#include "Library.h"

// LibTorch's at::cuda::CUDAGraph, which owns the memory of the captured work. It lives in the CUDA library, which is not
// linked, so its functions are found by name. Its header needs CUDA's, which are not there either.
namespace {

/// sizeof(at::cuda::CUDAGraph), measured with CUDA's headers.
constexpr size_t object_size = 104;
static_assert(std::string_view(TORCH_VERSION) == "2.11.0" && sizeof(void *) == 8,
              "measure sizeof(at::cuda::CUDAGraph) of this LibTorch with CUDA's headers and change object_size");

/// Memory for a CUDAGraph. A pattern behind the object shows whether it is larger than known.
class Room {
 public:
  Room() { memory.fill(pattern); }

  void *object() { return memory.data(); }

  /// Throws where the object reaches beyond its size.
  void check() const {
    auto last = std::find_if(memory.rbegin(), memory.rend(), [](std::byte byte) { return byte != pattern; });
    auto used = static_cast<size_t>(memory.rend() - last);
    TORCH_CHECK(used <= object_size, "LibTorch's CUDA library makes a CUDA graph of ", used, " bytes or more, not ",
                object_size, " as that of ", TORCH_VERSION, " does; take that one");
  }

 private:
  static constexpr auto pattern = std::byte{0xa5};
  alignas(16) std::array<std::byte, 4096> memory;
};

struct Functions {
  void (*construct)(void *, bool);
  void (*destruct)(void *);
  void (*begin)(void *, std::pair<unsigned long long, unsigned long long>, int);
  void (*end)(void *);
  void (*replay)(void *);

  Functions() {
    auto find = [](auto &function, const char *name) {
      function = reinterpret_cast<std::remove_reference_t<decltype(function)>>(dlsym(gpu::library(), name));
      TORCH_CHECK(function, "LibTorch's CUDA library has no ", name);
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

/// A CUDAGraph in its room.
class Object {
 public:
  Object() {
    functions.construct(room.object(), false);
    try {
      room.check();
    } catch (...) {
      functions.destruct(room.object());
      throw;
    }
  }
  ~Object() { functions.destruct(room.object()); }
  Object(const Object &) = delete;

  void check() const { room.check(); }
  void begin() { functions.begin(room.object(), {0, 0}, 0); }
  void end() { functions.end(room.object()); }
  void replay() { functions.replay(room.object()); }

 private:
  const Functions &functions = Functions::all();
  Room room;
};

/// Returns the stream to capture on. The default stream cannot be captured.
///
/// All graphs of a device share one, since LibTorch caches memory per stream.
c10::Stream capture_stream(c10::Device device) {
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
  c10::Device device;
  c10::Stream before, own;
  std::optional<Object> object;

  explicit CTGraph(c10::Device device)
      : device(device), before(c10::Stream::DEFAULT, device), own(c10::Stream::DEFAULT, device) {
    c10::impl::VirtualGuardImpl implementation(device.type());
    implementation.synchronizeDevice(device.index());
    // During a capture LibTorch frees no memory that earlier work has left.
    c10::getDeviceAllocator(device.type())->emptyCache();
    before = implementation.getStream(device);
    own = capture_stream(device);
    object.emplace();
  }

  void use(const c10::Stream &stream) { c10::impl::VirtualGuardImpl(device.type()).exchangeStream(stream); }
};

CTGraph *ct_graph_begin_capture(int32_t device) {
  return guard(static_cast<CTGraph *>(nullptr), [&] {
    c10::Device gpu(at::kCUDA, static_cast<c10::DeviceIndex>(device));
    c10::DeviceGuard guard(gpu);
    auto graph = std::make_unique<CTGraph>(gpu);
    graph->use(graph->own);
    try {
      graph->object->begin();
    } catch (...) {
      graph->use(graph->before);
      throw;
    }
    return graph.release();
  });
}

bool ct_graph_end_capture(CTGraph *graph) {
  return act([&] {
    c10::DeviceGuard guard(graph->device);
    graph->object->end();
    graph->use(graph->before);
    graph->object->check();
  });
}

bool ct_graph_replay(CTGraph *graph) {
  return act([&] {
    c10::DeviceGuard guard(graph->device);
    graph->object->replay();
  });
}

void ct_graph_free(CTGraph *graph) {
  act([&] { delete graph; });
}

bool ct_check_graph_size(void (*construct)(void *memory)) {
  return act([&] {
    Room room;
    construct(room.object());
    room.check();
  });
}
