#!/usr/bin/env bash
# Tests how CTorch loads LibTorch's CUDA library and captures graphs, with small libraries in its place and without a GPU.
# Needs the debug build of `swift build`.
set -euo pipefail
cd "$(dirname "$0")/.."
[ "$(uname -s)" = Linux ] || { echo "cuda-test: only Linux has CUDA; nothing is tested."; exit 0; }
place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT
torch="$PWD/.deps/libtorch/torch"
version=$(awk '$3 == "torch" { print $4; exit }' Tools/libtorch.txt)
compile=(clang++ -std=c++20 -isystem "$torch/include" -ISources/CTorch/include)

fail() {
  echo "cuda-test: $*" >&2
  exit 1
}

# A CUDAGraph of SIZE bytes, a device without a function, and an allocator with nothing to free.
cat >"$place/fake.cpp" <<'CPP'
#include <c10/core/CachingDeviceAllocator.h>
#include <c10/core/impl/DeviceGuardImplInterface.h>
#include <cstdio>
#include <cstring>
enum cudaStreamCaptureMode { global };
namespace at::cuda {
struct CUDAGraph {
  CUDAGraph(bool);
  ~CUDAGraph();
  void capture_begin(std::pair<unsigned long long, unsigned long long>, cudaStreamCaptureMode);
  void capture_end();
  void replay();
};
CUDAGraph::CUDAGraph(bool) { std::memset(static_cast<void *>(this), 1, SIZE), std::puts("made"); }
CUDAGraph::~CUDAGraph() { std::puts("freed"); }
void CUDAGraph::capture_begin(std::pair<unsigned long long, unsigned long long>, cudaStreamCaptureMode) { std::puts("begun"); }
void CUDAGraph::capture_end() { std::puts("ended"); }
void CUDAGraph::replay() { std::puts("replayed"); }
}  // namespace at::cuda
using namespace c10;
struct Guard : impl::NoOpDeviceGuardImpl<DeviceType::CUDA> {
  Device exchangeDevice(Device) const override { return {DeviceType::CUDA, 0}; }
  Device getDevice() const override { return {DeviceType::CUDA, 0}; }
  Stream getStream(Device device) const noexcept override { return Stream(Stream::DEFAULT, device); }
  Stream getStreamFromGlobalPool(Device device, bool) const override { return Stream(Stream::DEFAULT, device); }
  Stream exchangeStream(Stream stream) const noexcept override { return stream; }
  void synchronizeDevice(DeviceIndex) const override {}
};
C10_REGISTER_GUARD_IMPL(CUDA, Guard)
struct Nothing final : DeviceAllocator {
  DataPtr allocate(size_t) override { return {}; }
  void copy_data(void *, const void *, size_t) const override {}
  bool initialized() override { return true; }
  void emptyCache(MempoolId_t) override {}
  void recordStream(const DataPtr &, Stream) override {}
  CachingDeviceAllocator::DeviceStats getDeviceStats(DeviceIndex) override { return {}; }
  void resetAccumulatedStats(DeviceIndex) override {}
  void resetPeakStats(DeviceIndex) override {}
} nothing;
const bool set = (SetAllocator(DeviceType::CUDA, &nothing), true);
CPP

cat >"$place/main.cpp" <<'CPP'
#include <cstdio>
#include "CTorch.h"
int main() {
  if (!ct_load_cuda()) return std::printf("%s\n", ct_error()), 0;
  CTGraph *graph = ct_graph_begin_capture(0);
  if (!graph) return std::printf("%s\n", ct_error()), 0;
  if (!ct_graph_end_capture(graph) || !ct_graph_replay(graph)) return std::printf("%s\n", ct_error()), 0;
  ct_graph_free(graph);
}
CPP
mapfile -d '' objects < <(find "$(swift build --show-bin-path)/CTorch.build" -name '*.o' -print0)
[ "${#objects[@]}" -gt 0 ] || fail "there is no debug build of CTorch; run swift build first."
"${compile[@]}" "$place/main.cpp" "${objects[@]}" -L"$torch/lib" -ltorch_cpu -lc10 -ldl -Wl,-rpath,"$torch/lib" -o "$place/main"

library() { # name, size of its graph, version; a wheel's folders
  mkdir -p "$place/$1/lib"
  [ -e "$place/$2.so" ] || "${compile[@]}" -shared -fPIC -DSIZE="$2" "$place/fake.cpp" -o "$place/$2.so"
  cp "$place/$2.so" "$place/$1/lib/libtorch_cuda.so"
  [ -z "$3" ] || printf "__version__ = '%s'\n" "$3" >"$place/$1/version.py"
}
checks=0
same() { # name, expected output
  local found
  found=$(LD_LIBRARY_PATH="$place/$1/lib" "$place/main" 2>&1) || fail "$1: it ended with status $?: $found"
  [ "$found" = "$2" ] || fail "$1: found '$found', expected '$2'"
  checks=$((checks + 1))
}

if [ -e "$torch/lib/libtorch_cuda.so" ]; then
  echo "cuda-test: .deps has the CUDA library, which is preferred to others; nothing is tested."
  exit 0
fi
library fits 104 "$version+cu130"
same fits $'made\nbegun\nended\nreplayed\nfreed'
library larger 448 "$version"
same larger $'made\nfreed\n'"LibTorch's CUDA library makes a CUDA graph of 448 bytes or more, not 104 as that of $version does; take that one"
library other 104 2.15.0+cu132
same other "$place/other/lib/libtorch_cuda.so is of LibTorch 2.15.0, and DualNorm was compiled with $version"
library unknown 104 ""
same unknown "$place/unknown/lib/libtorch_cuda.so is of an unknown version, since the folder above its own holds no version.py, \
include or build-version, and DualNorm was compiled with LibTorch $version"
mkdir -p "$place/none/lib"
same none "libtorch_cuda.so is neither in $torch/lib/ nor in a folder of LD_LIBRARY_PATH"
library damaged 104 "$version"
printf damaged >"$place/damaged/lib/libtorch_cuda.so"
same damaged "$place/damaged/lib/libtorch_cuda.so: file too short"
echo "cuda-test: $checks checks passed"
