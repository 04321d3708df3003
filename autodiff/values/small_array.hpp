// SPDX-License-Identifier: BSD-3-Clause
// A short list without an allocation.
#pragma once
#include <memory>
#include <span>

#include "ebb/autodiff/values/memory.hpp"

namespace ebb::inline v0::detail {

/// n values: in the object if there are few, otherwise in a block of the pool. Numbers and pointers
/// are not initialised.
template <class T, std::size_t few>
class SmallArray {
 public:
  explicit SmallArray(std::size_t n) : size_(n) {
    if (n > few) many_ = BlockHandle(allocate_bytes(n * sizeof(T)));
    data_ = many_ ? many_->template data<T>() : reinterpret_cast<T*>(few_);
    std::uninitialized_default_construct_n(data_, n);
  }
  ~SmallArray() { std::destroy_n(data_, size_); }
  SmallArray(const SmallArray&) = delete;

  std::size_t size() const { return size_; }
  T* data() { return data_; }
  const T* data() const { return data_; }
  T& operator[](std::size_t i) { return data_[i]; }
  const T& operator[](std::size_t i) const { return data_[i]; }
  T* begin() { return data_; }
  T* end() { return data_ + size_; }

 private:
  std::size_t size_;
  T* data_;
  BlockHandle many_;
  alignas(T) std::byte few_[few * sizeof(T)];
};

}  // namespace ebb::inline v0::detail
