// SPDX-License-Identifier: BSD-3-Clause
// One run of the compiled loops of a formula, with the rows that they read and write.
#pragma once
#include <algorithm>
#include <span>
#include <utility>

#include "ebb/autodiff/engine/fused_loops.hpp"
#include "ebb/autodiff/engine/record.hpp"
#include "ebb/autodiff/kernels/table.hpp"
#include "ebb/autodiff/values/parallel.hpp"
#include "ebb/autodiff/values/small_array.hpp"

namespace ebb::inline v0::detail {

inline constexpr std::size_t few_arguments = 4;  // up to this number nothing is allocated

/// One run of a loop over n elements, with the rows that it reads and writes.
template <class T>
class FusedRun {
 public:
  FusedRun(std::span<const Argument> arguments, std::int64_t n)
      : n_(n), arguments_(arguments.size()) {
    block_.arguments = arguments_.data();
    block_.y = nullptr;
    block_.scale = 1;
    for (std::size_t i = 0; i < arguments_.size(); ++i) {
      FusedArgument<T>& argument = arguments_[i];
      argument.gradient.step = 0;
      argument.owned = nullptr;
      if (arguments[i].is_number()) {
        argument.number = arguments[i].value<T>();
      } else {
        argument.values = read(arguments[i].block);
        ++inputs_;
      }
    }
  }
  ~FusedRun() {
    for (const FusedArgument<T>& argument : arguments_) {
      if (argument.owned) release(argument.owned);
    }
  }
  FusedRun(const FusedRun&) = delete;

  void write(Block* y) { block_.y = output(y); }
  /// Requests the gradient of an argument.
  void want(int i, const Shape& shape) {
    FusedArgument<T>& argument = arguments_[std::size_t(i)];
    argument.owned = allocate(shape, sizeof(T));
    argument.gradient = {output(argument.owned), 1};
    ++wanted_;
    block_.only = i;
  }
  /// Hands over the gradient of an argument; null if it was not requested.
  Block* take(int i) { return std::exchange(arguments_[std::size_t(i)].owned, nullptr); }
  void upstream(Block* g) { block_.g = read(g); }
  void scale(double factor) { block_.scale = T(factor); }

  /// Runs the loops of all blocks, and adds up what they return, in order.
  double operator()(const typename FusedLoops<T>::Loops& loops) {
    const auto loop = loops[std::size_t(instruction_set())];
    const bool some = wanted_ > 1 && wanted_ < inputs_;
    if (some) forget_others();
    if (wanted_ != 1 || inputs_ == 1) block_.only = -1;
    block_.streams = streams_ && !some;
    const double total = parallel_sum(n_, fused_block, [&](std::int64_t first, std::int64_t last) {
      return loop(block_, first, last - first);
    });
    if (block_.streams) __builtin_ia32_sfence();
    return total;
  }

 private:
  /// Returns the row of an operand. A single value is repeated for the length of a block.
  FusedRow<const T> read(Block* x) {
    const T* data = x->data<T>();
    if (!x->is_single() || n_ == 1) return {data, 1};
    T* values = room();
    std::fill_n(values, row(), *data);
    return {values, 0};
  }
  T* output(Block* y) {
    T* to = y->data<T>();
    streams_ = streams_ && prefers_streaming(to, n_);
    return to;
  }
  /// Gives scratch rows to gradients that are computed but not wanted.
  void forget_others() {
    T* const nowhere = room();
    for (FusedArgument<T>& argument : arguments_) {
      if (!argument.owned) argument.gradient = {nowhere, 0};
    }
  }
  /// The number of elements of a row: those of a block, rounded up to whole cache lines.
  std::int64_t row() const { return (std::min(n_, fused_block) + 63) / 64 * 64; }
  /// Memory for one row.
  T* room() {
    const auto rows = std::int64_t(arguments_.size()) + 2;  // for g and the scratch row
    if (!rooms_) rooms_ = BlockHandle(allocate_bytes(std::size_t(rows * row()) * sizeof(T)));
    return rooms_->data<T>() + row() * rooms_taken_++;
  }

  std::int64_t n_;
  SmallArray<FusedArgument<T>, few_arguments> arguments_;
  FusedBlock<T> block_;  // members that are not read have no value
  bool streams_ = true;
  int inputs_ = 0, wanted_ = 0, rooms_taken_ = 0;
  BlockHandle rooms_;
};

}  // namespace ebb::inline v0::detail
