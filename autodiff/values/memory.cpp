// SPDX-License-Identifier: BSD-3-Clause
#include "ebb/autodiff/values/memory.hpp"

#include "ebb/autodiff/values/instances.hpp"

#include <malloc.h>
#include <sys/mman.h>

#include <algorithm>
#include <bit>
#include <cstdlib>
#include <cstring>
#include <mutex>
#include <new>
#include <vector>

#ifdef EBB_SANITIZES_ADDRESSES
#include <sanitizer/asan_interface.h>
#define EBB_POISON(address, bytes) ASAN_POISON_MEMORY_REGION(address, bytes)
#define EBB_UNPOISON(address, bytes) ASAN_UNPOISON_MEMORY_REGION(address, bytes)
#else
#define EBB_POISON(address, bytes) ((void)0)
#define EBB_UNPOISON(address, bytes) ((void)0)
#endif

namespace ebb::inline v0 {
namespace detail {
namespace {

constexpr std::int64_t line = 64;
constexpr std::int64_t page = 4096;
constexpr std::int64_t huge_page = std::int64_t(2) << 20;
constexpr std::int64_t large = 32 << 10;  // larger blocks are allocated from the system one by one
constexpr int class_count = 180;

constexpr std::int64_t lines_of(std::int64_t bytes) {
  return std::int64_t(std::uint64_t(bytes + line - 1) / line);
}

// There is a class for each size up to 1 KiB; above, four classes for each power of two.
constexpr int small_classes = 16;
int class_of(std::int64_t lines) {
  if (lines <= small_classes) return int(lines);
  const int log = int(std::bit_width(std::uint64_t(lines - 1))) - 1;
  return small_classes + (log - 4) * 4 + int((lines - 1) >> (log - 2) & 3) + 1;
}

std::int64_t bytes_of(int size_class) {
  if (size_class <= small_classes) return size_class * line;
  const int beyond = size_class - small_classes - 1, log = beyond / 4 + 4;
  return (std::int64_t(4 + beyond % 4 + 1) << (log - 2)) * line;
}

// Free blocks are linked through the memory of their shape.
Block* next_of(const Block* block) {
  Block* next;
  std::memcpy(&next, static_cast<const void*>(&block->shape), sizeof next);
  return next;
}
void set_next(Block* block, Block* next) {
  std::memcpy(static_cast<void*>(&block->shape), &next, sizeof next);
}

void* system_memory(std::int64_t bytes) {
  const std::int64_t alignment = bytes >= huge_page ? huge_page : bytes > large ? page : line;
  const std::int64_t rounded = (bytes + alignment - 1) / alignment * alignment;
  void* memory = std::aligned_alloc(std::size_t(alignment), std::size_t(rounded));
  if (!memory) throw std::bad_alloc();
  // New pages cost 2 us for each 4 KiB; huge pages cost a fifth of that, and are streamed faster.
  if (bytes >= huge_page) madvise(memory, std::size_t(rounded), MADV_HUGEPAGE);
  return memory;
}

// Each counter has one writer; other threads only read it.
void count(std::atomic<std::int64_t>& counter, std::int64_t n) {
  counter.store(counter.load(std::memory_order_relaxed) + n, std::memory_order_relaxed);
}

// The free blocks of one thread. A heap is not destroyed with its thread, but given to a later one.
struct Heap {
  Block* free[class_count] = {};
  std::atomic<Block*> returned = nullptr;  // freed by other threads
  std::byte* slab = nullptr;
  std::int64_t slab_left = 0;
  std::int64_t slab_bytes = 64 << 10;
  std::int64_t large_blocks = 0;
  std::uint16_t index = 0;
  std::atomic<std::int64_t> allocated = 0, freed = 0, system_allocations = 0, system_bytes = 0;

  /// Takes a block back.
  void put(Block* block) {
    chain(block);
    count(freed, 1);
    EBB_POISON(block->payload(), bytes_of(block->size_class) - line);
  }
  void chain(Block* block) {
    set_next(block, free[block->size_class]);
    free[block->size_class] = block;
  }

  void collect_returned() {
    Block* block = returned.exchange(nullptr, std::memory_order_acquire);
    while (block) {
      Block* next = next_of(block);
      chain(block);
      block = next;
    }
  }

  Block* from_system(std::int64_t bytes) {
    void* memory = system_memory(bytes);
    count(system_allocations, 1);
    count(system_bytes, bytes);
    return static_cast<Block*>(memory);
  }

  // A load waits for an earlier store whose address agrees with it in the last 12 bits. The system
  // returns blocks that start a few cache lines apart, so that a loop over several arrays would
  // load next to the address that it has just stored to: with a distance of 64 bytes it takes three
  // times as long outside of the caches, with 256 no longer than with any other.
  Block* large_from_system(std::int64_t bytes) {
    std::byte* memory = reinterpret_cast<std::byte*>(from_system(bytes + page));
    return reinterpret_cast<Block*>(memory + (large_blocks++ % 8) * 256);
  }

  Block* fresh(std::int64_t bytes) {
    if (bytes > large) return large_from_system(bytes);
    if (slab_left < bytes) {
      slab = reinterpret_cast<std::byte*>(from_system(slab_bytes));
      slab_left = slab_bytes;
      if (slab_bytes < huge_page) slab_bytes *= 2;  // small programs stay small
    }
    slab_left -= bytes;
    return reinterpret_cast<Block*>(std::exchange(slab, slab + bytes));
  }

  /// A free block of this class; null if there is none.
  Block* take(std::int64_t size_class) {
    Block* block = free[size_class];
    if (block) [[likely]] {
      EBB_UNPOISON(block->payload(), bytes_of(int(size_class)) - line);
      free[size_class] = next_of(block);
    }
    return block;
  }

  /// Gives free large blocks back to the system, and returns their bytes.
  std::int64_t release_large() {
    collect_returned();
    std::int64_t bytes = 0;
    for (int size_class = 0; size_class < class_count; ++size_class) {
      if (bytes_of(size_class) <= large) continue;
      while (Block* block = take(size_class)) {
        // `large_from_system` moved the block by less than a page.
        const auto address = reinterpret_cast<std::uintptr_t>(block);
        std::free(reinterpret_cast<void*>(address / page * page));
        bytes += bytes_of(size_class) + page;
      }
    }
    count(system_bytes, -bytes);
    return bytes;
  }

  /// A block of this class from other threads or, if there is none, from the system.
  Block* obtain(int size_class) {
    collect_returned();
    if (Block* block = take(size_class)) return block;
    Block* block = fresh(bytes_of(size_class));
    block->size_class = std::uint8_t(size_class);
    block->heap = index;
    return block;
  }
};

constexpr std::uint16_t nobody = 0xffff;  // the index of no heap

// All heaps that were ever made. They are never destroyed, since arrays may outlive every static
// object.
struct Heaps {
  std::mutex mutex;
  std::vector<Heap*> all;
  std::vector<Heap*> abandoned;

  Heap* adopt() {
    const std::lock_guard lock(mutex);
    if (!abandoned.empty()) {
      Heap* heap = abandoned.back();
      abandoned.pop_back();
      return heap;
    }
    if (all.size() >= nobody) throw std::bad_alloc();
    auto* heap = new Heap;
    heap->index = std::uint16_t(all.size());
    all.push_back(heap);
    return heap;
  }
  void abandon(Heap* heap) {
    const std::lock_guard lock(mutex);
    abandoned.push_back(heap);
  }
  Heap* at(std::size_t index) {
    const std::lock_guard lock(mutex);
    return all[index];
  }
};

Heaps& heaps() {
  static auto* heaps = new Heaps;
  return *heaps;
}

// A thread without a heap uses this one, which has no blocks and owns none, so that the short paths
// below need no test.
constinit Heap no_heap{.index = nobody};
constinit thread_local Heap* mine = &no_heap;
// Objects of a thread that are destroyed after its heap was given away may still allocate and free.
constinit thread_local bool is_ending = false;

struct Abandon {
  ~Abandon() {
    is_ending = true;
    if (mine != &no_heap) heaps().abandon(std::exchange(mine, &no_heap));
  }
};

/// The heap of this thread for one call that allocates. A thread that is ending borrows one.
class OwnHeap {
 public:
  OwnHeap() {
    if (mine != &no_heap) return;
    if (!is_ending) {
      thread_local Abandon at_thread_exit;
      (void)at_thread_exit;
    }
    mine = heaps().adopt();
  }
  ~OwnHeap() {
    if (is_ending) [[unlikely]]
      heaps().abandon(std::exchange(mine, &no_heap));
  }
  OwnHeap(const OwnHeap&) = delete;
  Heap& operator*() const { return *mine; }
};

EBB_INLINE Block* hand_out(Heap& heap, Block* block, const Shape& shape, Block::Flags flags) {
  block->references.store(1, std::memory_order_relaxed);
  block->flags = flags;
  block->shape = shape;
  count(heap.allocated, 1);
  return block;
}

// The long paths are separate functions, called last, so that the short ones need not save
// registers.
__attribute__((noinline)) Block* obtain_lines(std::int64_t lines, const Shape& shape,
                                              Block::Flags flags) {
  const OwnHeap own;
  Heap& heap = *own;
  const int size_class = class_of(lines + 1);
  Block* block = heap.take(size_class);
  return hand_out(heap, block ? block : heap.obtain(size_class), shape, flags);
}

/// A block with this number of lines of 64 bytes after its header.
EBB_INLINE Block* allocate_lines(std::int64_t lines, const Shape& shape, Block::Flags flags) {
  if (lines < small_classes) [[likely]] {
    Heap& heap = *mine;
    if (Block* block = heap.take(lines + 1)) [[likely]]
      return hand_out(heap, block, shape, flags);
  }
  return obtain_lines(lines, shape, flags);
}

__attribute__((noinline)) void free_elsewhere(Block* block) {
  if (block->is_view()) release(block->as_view().owner);
  Heap& heap = *mine;
  if (block->heap == heap.index) return heap.put(block);
  // All threads without a heap count at one place.
  if (&heap == &no_heap) {
    heap.freed.fetch_add(1, std::memory_order_relaxed);
  } else {
    count(heap.freed, 1);
  }
  Heap* owner = heaps().at(block->heap);
  Block* head = owner->returned.load(std::memory_order_relaxed);
  do {
    set_next(block, head);
  } while (!owner->returned.compare_exchange_weak(head, block, std::memory_order_release,
                                                  std::memory_order_relaxed));
}

}  // namespace

EBB_HOT Block* allocate(const Shape& shape, std::size_t element_size) {
  // One vector more than the elements need: the last rows of a matrix are written in whole vectors.
  const std::int64_t lines = lines_of(shape.size() * std::int64_t(element_size));
  return allocate_lines(lines + (shape.rank() >= 2 ? 1 : 0), shape, Block::plain);
}

Block* allocate_uniform(const Shape& shape, std::size_t) {
  return allocate_lines(1, shape, Block::uniform);
}

Block* allocate_bytes(std::size_t bytes) {
  return allocate_lines(lines_of(std::int64_t(bytes)), Shape(), Block::plain);
}

Block* allocate_view(Block* owner, void* data, const Shape& shape) {
  Block* root = owner->is_view() ? owner->as_view().owner : owner;
  Block* block = allocate_lines(1, shape, Block::view);
  block->as_view() = {retain(root), static_cast<std::byte*>(data)};
  return block;
}

template <class T>
void copy_into(Block* dense, Block* block) {
  const std::int64_t n = block->shape.size();
  if (block->is_uniform()) {
    std::fill_n(dense->data<T>(), n, *block->data<T>());
  } else {
    std::copy_n(block->data<T>(), n, dense->data<T>());
  }
}
template <class T>
Block* densify(Block* block) {
  Block* dense = allocate(block->shape, sizeof(T));
  copy_into<T>(dense, block);
  return dense;
}
EBB_FOR_REALS(copy_into)
EBB_FOR_REALS(densify)

const Block* owner_of(const Block* block) {
  return block->is_view() ? const_cast<Block*>(block)->as_view().owner : block;
}
std::int64_t pooled_bytes(const Block* block) { return bytes_of(owner_of(block)->size_class); }

EBB_HOT void free_block(Block* block) {
  Heap& heap = *mine;
  if (block->heap == heap.index && !block->is_view()) [[likely]]
    return heap.put(block);
  free_elsewhere(block);
}

}  // namespace detail

std::int64_t release_memory() {
  std::int64_t bytes = detail::mine == &detail::no_heap ? 0 : detail::mine->release_large();
  auto& heaps = detail::heaps();
  {
    const std::lock_guard lock(heaps.mutex);
    for (detail::Heap* heap : heaps.abandoned) bytes += heap->release_large();
  }
  malloc_trim(0);
  return bytes;
}

MemoryStatistics memory_statistics() {
  auto& heaps = detail::heaps();
  const std::lock_guard lock(heaps.mutex);
  MemoryStatistics total{};
  total.live_blocks -= detail::no_heap.freed.load(std::memory_order_relaxed);
  for (const detail::Heap* heap : heaps.all) {
    total.live_blocks += heap->allocated.load(std::memory_order_relaxed) -
                         heap->freed.load(std::memory_order_relaxed);
    total.system_allocations += heap->system_allocations.load(std::memory_order_relaxed);
    total.system_bytes += heap->system_bytes.load(std::memory_order_relaxed);
  }
  return total;
}

}  // namespace ebb::inline v0
