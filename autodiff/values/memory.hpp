// SPDX-License-Identifier: BSD-3-Clause
// Storage of arrays and records: reference-counted blocks from pools that are never destroyed.
#pragma once
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <utility>

#include "ebb/autodiff/values/platform.hpp"
#include "ebb/autodiff/values/shape.hpp"

namespace ebb::inline v0 {

/// The sum over the pools of all threads.
struct MemoryStatistics {
  std::int64_t live_blocks;         ///< blocks in use
  std::int64_t system_allocations;  ///< how often a pool asked the system for memory
  std::int64_t system_bytes;        ///< bytes that the pools hold, free blocks included
};
EBB_API MemoryStatistics memory_statistics();

/// Gives the freed arrays of more than 32 KiB back to the system: those of this thread, and of
/// threads that have ended. Returns their bytes. Otherwise memory of freed arrays is kept for later
/// ones of a similar size, so that a program holds as much as its arrays once took at the same
/// time, thread by thread.
EBB_API std::int64_t release_memory();

namespace detail {

/// The header of a pooled block. Its elements follow, aligned to 64 bytes, and padded so that a
/// kernel may read and write whole vectors past the last element.
struct alignas(64) Block {
  enum Flags : std::uint8_t {
    plain = 0,
    view = 1,     ///< the elements belong to another block; the payload is a `View`
    uniform = 2,  ///< one element for all, as in the gradient of a sum; users never see it
  };
  std::atomic<std::uint32_t> references;
  std::uint16_t heap;  ///< the pool that the block returns to
  std::uint8_t size_class;
  std::uint8_t flags;
  Shape shape;

  struct View {
    Block* owner;
    std::byte* data;
  };
  EBB_INLINE std::byte* payload() { return reinterpret_cast<std::byte*>(this) + sizeof(Block); }
  EBB_INLINE View& as_view() { return *reinterpret_cast<View*>(payload()); }
  EBB_INLINE bool is_uniform() const { return (flags & uniform) != 0; }
  /// True if one value is that of all elements.
  EBB_INLINE bool is_single() const { return is_uniform() || shape.size() == 1; }
  EBB_INLINE bool is_view() const { return (flags & view) != 0; }
  /// True if no other handle shares these elements.
  EBB_INLINE bool is_sole() const { return references.load(std::memory_order_acquire) == 1; }
  template <class T>
  EBB_INLINE T* data() {
    return reinterpret_cast<T*>(is_view() ? as_view().data : payload());
  }
};
static_assert(sizeof(Block) == 64);

/// A block for an array of this shape, with one reference. The elements are not initialised.
EBB_API Block* allocate(const Shape& shape, std::size_t element_size);
/// A block with one element for all elements of the shape.
EBB_API Block* allocate_uniform(const Shape& shape, std::size_t element_size);
/// A dense block with the values of a block of elements T, which may be uniform.
template <class T>
Block* densify(Block* block);
/// Copies the values of a block, which may be uniform, into a dense block of its shape.
template <class T>
void copy_into(Block* dense, Block* block);
/// A block of raw bytes.
EBB_API Block* allocate_bytes(std::size_t bytes);
/// A block of another shape for elements of `owner`, starting at `data`. It takes a reference to
/// `owner`.
EBB_API Block* allocate_view(Block* owner, void* data, const Shape& shape);
EBB_API void free_block(Block* block);
/// The block that has the elements, and the bytes that it takes in its pool.
const Block* owner_of(const Block* block);
std::int64_t pooled_bytes(const Block* block);

EBB_INLINE Block* retain(Block* block) {
  block->references.fetch_add(1, std::memory_order_relaxed);
  return block;
}
EBB_INLINE void release(Block* block) {
  // Nothing can race with a sole owner, so no locked instruction is needed.
  if (block->references.load(std::memory_order_acquire) == 1 ||
      block->references.fetch_sub(1, std::memory_order_acq_rel) == 1) {
    free_block(block);
  }
}

/// True if n numbers should be written past the caches: they are larger than the caches, and
/// aligned.
template <class T>
EBB_INLINE bool prefers_streaming(const T* to, std::int64_t n) {
  return n >= std::int64_t(8 << 20) / int(sizeof(T)) &&
         reinterpret_cast<std::uintptr_t>(to) % 64 == 0;
}

/// A handle that owns a block, for code that may throw.
class BlockHandle {
 public:
  BlockHandle() = default;
  EBB_INLINE explicit BlockHandle(Block* owned) : block_(owned) {}
  EBB_INLINE BlockHandle(BlockHandle&& other) noexcept
      : block_(std::exchange(other.block_, nullptr)) {}
  EBB_INLINE BlockHandle& operator=(BlockHandle&& other) noexcept {
    std::swap(block_, other.block_);
    return *this;
  }
  EBB_INLINE ~BlockHandle() {
    if (block_) release(block_);
  }
  EBB_INLINE Block* get() const { return block_; }
  EBB_INLINE Block* operator->() const { return block_; }
  EBB_INLINE explicit operator bool() const { return block_ != nullptr; }
  /// Hands over the reference.
  EBB_INLINE Block* take() { return std::exchange(block_, nullptr); }

 private:
  Block* block_ = nullptr;
};

}  // namespace detail
}  // namespace ebb::inline v0
