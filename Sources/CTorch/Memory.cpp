#include <c10/core/CPUAllocator.h>
#include <sys/mman.h>
#include <unistd.h>
#include <cstdlib>
#include <map>
#include <mutex>
#include "Support.h"

namespace {

constexpr size_t large = 1 << 20, page = 4 << 10, alignment = 64;

/// An allocator of tensors. Large ones share one range of addresses that keeps its pages.
///
/// Returning pages to the system and taking them again cost a tenth of a training step. Free neighbours merge.
class CachingAllocator final : public c10::Allocator {
 public:
  c10::DataPtr allocate(size_t size) override {
    void *block = size == 0 ? nullptr : size < large ? nullptr : large_block(size);
    if (size > 0 && !block) block = std::aligned_alloc(alignment, rounded(size, alignment));
    TORCH_CHECK(size == 0 || block, "there is no memory for a tensor of ", size, " bytes");
    return {block, block, &release, c10::Device(c10::DeviceType::CPU)};
  }

  c10::DeleterFnPtr raw_deleter() const override { return &release; }

  void copy_data(void *target, const void *source, size_t count) const override {
    default_copy_data(target, source, count);
  }

  static CachingAllocator &shared() {
    static auto *allocator = new CachingAllocator;  // outlives every tensor
    return *allocator;
  }

 private:
  std::mutex mutex;
  char *range = nullptr;  // twice the machine's memory, where only touched pages take any
  size_t size = 0;
  std::map<size_t, size_t> holes;  // sizes by offset, never two neighbours
  std::map<size_t, size_t> used;   // sizes by offset

  CachingAllocator() {
    size_t wanted = 2 * static_cast<size_t>(sysconf(_SC_PHYS_PAGES)) * static_cast<size_t>(sysconf(_SC_PAGESIZE));
    void *found = mmap(nullptr, wanted, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (found == MAP_FAILED) return;  // Then every tensor has memory of its own.
    range = static_cast<char *>(found);
    size = wanted;
    holes[0] = size;
#ifdef MADV_HUGEPAGE
    madvise(range, size, MADV_HUGEPAGE);
#endif
  }

  static size_t rounded(size_t size, size_t unit) { return (size + unit - 1) / unit * unit; }

  /// Takes a block from the smallest hole that is large enough, the first of equals; null without one.
  void *large_block(size_t wanted) {
    wanted = rounded(wanted, page);
    std::lock_guard lock(mutex);
    auto best = holes.end();
    for (auto hole = holes.begin(); hole != holes.end(); hole++)
      if (hole->second >= wanted && (best == holes.end() || hole->second < best->second)) best = hole;
    if (best == holes.end()) return nullptr;
    auto [offset, free] = *best;
    holes.erase(best);
    if (free > wanted) holes[offset + wanted] = free - wanted;
    used[offset] = wanted;
    return range + offset;
  }

  void free_large(size_t offset) {
    std::lock_guard lock(mutex);
    auto block = used.find(offset);
    size_t count = block->second;
    used.erase(block);
    auto next = holes.lower_bound(offset);
    if (next != holes.end() && next->first == offset + count) {
      count += next->second;
      next = holes.erase(next);
    }
    if (next != holes.begin()) {
      auto previous = std::prev(next);
      if (previous->first + previous->second == offset) {
        previous->second += count;
        return;
      }
    }
    holes[offset] = count;
  }

  static void release(void *block) {
    auto &own = shared();
    auto address = static_cast<char *>(block);
    if (own.range && address >= own.range && address < own.range + own.size) {
      own.free_large(address - own.range);
    } else {
      std::free(block);
    }
  }
};

}  // namespace

void ct_cache_memory(void) {
  act([] { c10::SetCPUAllocator(&CachingAllocator::shared(), /*priority=*/1); });
}
