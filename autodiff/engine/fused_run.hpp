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

inline constexpr std::size_t few_arguments = 4;  // up to these numbers nothing is allocated
inline constexpr std::size_t few_results = 2;

/// The least number of elements, from n on, that is whole vectors of any instruction set.
template <class T>
constexpr std::int64_t whole_vectors(std::int64_t n) {
  constexpr std::int64_t vector = 64 / int(sizeof(T));
  return (n + vector - 1) / vector * vector;
}

/// One run of a loop over n elements, with the rows that it reads and writes.
template <class T>
class FusedRun {
 public:
  FusedRun(const FusedLoops<T>& loops, std::span<const Argument> arguments, std::int64_t n,
           bool keeps = false)
      : n_(n),
        arguments_(arguments.size()),
        y_(std::size_t(loops.results)),
        upstream_(std::size_t(loops.results)),
        kept_(std::size_t(keeps ? loops.kept_count : 0)) {
    const int kept = int(kept_.size());
    block_.arguments = arguments_.data();
    block_.y = y_.data();
    block_.g = upstream_.data();
    block_.kept = kept > 0 ? kept_.data() : nullptr;
    block_.scale = 1;
    block_.adds = false;
    for (std::size_t i = 0; i < arguments_.size(); ++i) {
      FusedArgument<T>& argument = arguments_[i];
      argument.gradient = nullptr;
      argument.adds = false;
      argument.owned = nullptr;
      if (arguments[i].is_number()) {
        argument.number = arguments[i].value<T>();
      } else {
        argument.values = read(arguments[i].block);
      }
    }
  }
  ~FusedRun() {
    for (const FusedArgument<T>& argument : arguments_) {
      if (argument.owned) release(argument.owned);
    }
  }
  FusedRun(const FusedRun&) = delete;

  /// The block of result j.
  void write(int j, Block* y) { y_[std::size_t(j)] = output(y); }
  /// The steps that are kept, which the loop writes or reads: one after the other in `rows`, in
  /// whole vectors, but a result in its own block, result(j).
  template <class F>
  void keep(const FusedLoops<T>& loops, Block* rows, const F& result) {
    T* next = rows ? rows->data<T>() : nullptr;
    for (int k = 0; k < loops.kept_count; ++k) {
      const int j = loops.kept_results[k];
      kept_[std::size_t(k)] = j >= 0 ? result(j)->template data<T>() : next;
      if (j < 0) next += whole_vectors<T>(n_);
    }
  }
  /// Requests the gradient of an argument.
  void want(int i, const Shape& shape) {
    FusedArgument<T>& argument = arguments_[std::size_t(i)];
    argument.owned = allocate(shape, sizeof(T));
    want_at(argument, output(argument.owned));
  }
  /// Requests that the gradient of an argument be added to this one.
  void want_added(int i, Block* gradient) {
    FusedArgument<T>& argument = arguments_[std::size_t(i)];
    argument.adds = block_.adds = true;
    want_at(argument, gradient->data<T>());
  }
  /// Hands over the gradient of an argument; null if it was not requested.
  Block* take(int i) { return std::exchange(arguments_[std::size_t(i)].owned, nullptr); }
  /// The gradient of result j; null for zeros.
  void upstream(int j, Block* g) { upstream_[std::size_t(j)] = g ? read(g) : repeated(0); }
  void scale(double factor) { block_.scale = T(factor); }

  /// Runs the loops of all blocks, and adds up what they return, in order.
  double operator()(const typename FusedLoops<T>::Loops& loops) {
    const auto loop = loops[std::size_t(instruction_set())];
    block_.first_only = wanted_ == 1 && arguments_[0].gradient;
    block_.streams = streams_ && !block_.adds;
    const double total = parallel_sum(n_, fused_block, [&](std::int64_t first, std::int64_t last) {
      return loop(block_, first, last - first);
    });
    if (block_.streams) __builtin_ia32_sfence();
    return total;
  }

 private:
  /// Returns the row of an operand. A single value is repeated for the length of a block.
  FusedRow<T> read(Block* x) {
    const T* data = x->data<T>();
    if (!x->is_single() || n_ == 1) return {data, 1};
    return repeated(*data);
  }
  FusedRow<T> repeated(T value) {
    T* values = room();
    std::fill_n(values, row(), value);
    return {values, 0};
  }
  T* output(Block* y) {
    T* to = y->data<T>();
    streams_ = streams_ && prefers_streaming(to, n_);
    return to;
  }
  void want_at(FusedArgument<T>& argument, T* to) {
    argument.gradient = to;
    ++wanted_;
  }
  /// The number of elements of a row: those of a block, rounded up to whole cache lines.
  std::int64_t row() const { return (std::min(n_, fused_block) + 63) / 64 * 64; }
  /// Memory for one row.
  T* room() {
    const auto rows = std::int64_t(arguments_.size() + upstream_.size());
    if (!rooms_) rooms_ = BlockHandle(allocate_bytes(std::size_t(rows * row()) * sizeof(T)));
    return rooms_->data<T>() + row() * rooms_taken_++;
  }

  std::int64_t n_;
  SmallArray<FusedArgument<T>, few_arguments> arguments_;
  SmallArray<T*, few_results> y_;
  SmallArray<FusedRow<T>, few_results> upstream_;
  SmallArray<T*, few_arguments> kept_;
  FusedBlock<T> block_;  // members that are not read have no value
  bool streams_ = true;
  int wanted_ = 0, rooms_taken_ = 0;
  BlockHandle rooms_;
};

}  // namespace ebb::inline v0::detail
