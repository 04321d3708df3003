// SPDX-License-Identifier: BSD-3-Clause
#include "ebb/autodiff/engine/directions.hpp"

#include <algorithm>

#include "ebb/autodiff/kernels/blas.hpp"
#include "ebb/autodiff/kernels/table.hpp"
#include "ebb/autodiff/values/instances.hpp"

namespace ebb::inline v0::detail {
namespace {

/// A block of the same elements in another shape.
template <class T>
BlockHandle viewed(const BlockHandle& block, const Shape& shape) {
  return BlockHandle(allocate_view(block.get(), block->template data<T>(), shape));
}

/// The shape with axes of size 1 in front, up to a rank, behind that of the directions.
Shape aligned(std::int64_t count, const Shape& shape, int rank) {
  std::int64_t sizes[Shape::max_rank + 1] = {count};
  std::fill_n(sizes + 1, rank, 1);
  std::copy(shape.sizes().begin(), shape.sizes().end(), sizes + 1 + rank - shape.rank());
  return Shape(std::span<const std::int64_t>(sizes, std::size_t(rank + 1)));
}

template <class T>
Block* zeros(std::int64_t count, std::int64_t size) {
  Block* block = allocate({count, size}, sizeof(T));
  std::fill_n(block->data<T>(), count * size, T(0));
  return block;
}

}  // namespace

Shape with_directions(std::int64_t count, const Shape& shape) {
  return aligned(count, shape, shape.rank());
}

DirectionSweep::DirectionSweep(Records& tape, std::uint32_t output,
                               std::span<const std::uint32_t> points)
    : tape_(tape),
      low_(std::min(output, *std::ranges::min_element(points))),
      high_(output),
      one_(tape, low_, high_, {.record = false, .consume = false}),
      gradients_(high_ - low_ + 1) {
  one_.restrict_to(points);
}

std::int64_t DirectionSweep::fitting(std::int64_t wanted) const {
  constexpr std::int64_t cache = 256 << 10, most = 64;
  std::int64_t bytes = 1;
  for (std::uint32_t id = low_; id <= high_; ++id) {
    if (!one_.needs(id)) continue;
    const std::int64_t width = tape_.at(id).op->is_double ? 8 : 4;
    bytes = std::max(bytes, tape_.shape_of(id).size() * width);
  }
  return std::clamp(std::min(cache / bytes, most), std::int64_t(1),
                    std::max<std::int64_t>(wanted, 1));
}

void DirectionSweep::run(BlockHandle seeds, std::int64_t count) {
  const RecordingScope to(nullptr);
  for (BlockHandle& left : gradients_) left = BlockHandle();
  left_.clear();
  count_ = count;
  slot(high_) = std::move(seeds);
  for (std::uint32_t id = high_; id >= low_; --id) {
    Record& record = tape_.at(id);
    if (record.op->vjp && slot(id)) visit(id, record);
  }
}

BlockHandle DirectionSweep::take(std::uint32_t point) {
  return is_between(point) ? std::move(slot(point)) : BlockHandle();
}

void DirectionSweep::visit(std::uint32_t id, Record& record) {
  if (one_.mark(id) == Sweep::needed) {
    current_ = std::move(slot(id));
  } else {
    // A point keeps its gradients. It may also be on the way to an earlier one.
    bool any = false;
    for_each_input(record, [&](std::uint32_t input) { any |= one_.needs(input); });
    if (!any) return;
    current_ = BlockHandle(retain(slot(id).get()));
  }
  if (record.op->is_further) {
    leave(record);
    current_ = BlockHandle();
    return;
  }
#ifndef EBB_MUTATE  // which breaks the gradients of single directions
  const bool is_checked = tape_.checks_finite();
#else
  const bool is_checked = true;
#endif
  const bool is_double = record.op->is_double;
  const bool together = !is_checked && !record.op->has_further &&
                        ((record.op->directions && record.op->directions({*this, id, record})) ||
                         (record.op->elementwise && (is_double ? run_slopes<double>(id, record)
                                                               : run_slopes<float>(id, record))));
  if (!together) is_double ? run_each<double>(id, record) : run_each<float>(id, record);
  current_ = BlockHandle();
}

void DirectionSweep::leave(const Record& record) {
  const std::uint32_t first = record.inputs[0];
  left_.push_back({first, int(record.attributes.bits), BlockHandle(retain(current_.get()))});
  if (slot(first)) return;
  const std::int64_t size = tape_.shape_of(first).size();
  slot(first) =
      BlockHandle(record.op->is_double ? zeros<double>(count_, size) : zeros<float>(count_, size));
}

/// The slopes of an elementwise record are its gradients for ones, if nothing was broadcast. They
/// are computed once for all directions.
template <class T>
bool DirectionSweep::run_slopes(std::uint32_t id, Record& record) {
  const Shape shape = tape_.shape_of(id);
  bool fits = true;
  for_each_input(record, [&](std::uint32_t input) {
    if (!one_.needs(input)) return;
    fits =
        fits && tape_.shape_of(input) == shape && tape_.at(input).op->is_double == (sizeof(T) == 8);
  });
  if (!fits) return false;
  Block* const ones = allocate(shape, sizeof(T));
  std::fill_n(ones->data<T>(), shape.size(), T(1));
  run_one(id, Access::tensor<T>(ones));
  const DirectionsContext context(*this, id, record);
  for_each_input(record, [&](std::uint32_t input) {
    // An input that occurs twice has got its parts together.
    if (const BlockHandle slopes = arrived(input)) context.give_scaled<T>(input, slopes.get());
  });
  return true;
}

template <class T>
void DirectionSweep::run_one(std::uint32_t id, Tensor<T>&& gradient) {
  one_.give(id, std::move(gradient));
  one_.run_only(id);
  const BlockHandle kept(std::exchange(one_.slot(id), {}).block);  // by a point
}

BlockHandle DirectionSweep::arrived(std::uint32_t input) {
  return BlockHandle(is_between(input) ? std::exchange(one_.slot(input), {}).block : nullptr);
}

template <class T>
void DirectionSweep::run_each(std::uint32_t id, Record& record) {
  struct Parts {
    std::uint32_t id;
    BlockHandle block;
  };
  std::vector<Parts> all;
  const auto keep = [&]<class U>(std::uint32_t input, Block* part, std::int64_t row, U) {
    auto parts = std::ranges::find(all, input, &Parts::id);
    const std::int64_t size = part->shape.size();
    if (parts == all.end()) {
      all.push_back({input, BlockHandle(zeros<U>(count_, size))});
      parts = all.end() - 1;
    }
    U* const to = parts->block->template data<U>() + row * size;
    if (part->is_uniform()) {
      std::fill_n(to, size, *part->data<U>());
    } else {
      std::copy_n(part->data<U>(), size, to);
    }
  };
  const Shape shape = tape_.shape_of(id);
  for (std::int64_t row = 0; row < count_; ++row) {
    T* const from = current_->data<T>() + row * shape.size();
    for (const Left& left : left_) {
      if (left.first != id) continue;
      T* const of_result = left.block->data<T>() + row * shape.size();
      one_.left_gradient(id, left.result,
                         BlockHandle(allocate_view(left.block.get(), of_result, shape)));
    }
    run_one(id, Access::tensor<T>(allocate_view(current_.get(), from, shape)));
    for_each_input(record, [&](std::uint32_t input) {
      const BlockHandle part = arrived(input);
      if (!part) return;
      tape_.at(input).op->is_double ? keep(input, part.get(), row, double())
                                    : keep(input, part.get(), row, float());
    });
  }
  std::erase_if(left_, [&](const Left& left) { return left.first == id; });
  const DirectionsContext context(*this, id, record);
  for (Parts& parts : all) {
    const Shape of = tape_.shape_of(parts.id);
    tape_.at(parts.id).op->is_double ? context.give<double>(parts.id, std::move(parts.block), of)
                                     : context.give<float>(parts.id, std::move(parts.block), of);
  }
}

template <class T>
void DirectionsContext::give(std::uint32_t id, BlockHandle parts, const Shape& shape) const {
  const Shape& to_shape = tape().shape_of(id);
  if (parts->is_uniform()) parts = BlockHandle(densify<T>(parts.get()));
  if (!(shape == to_shape)) {
    const BlockHandle whole = viewed<T>(parts, with_directions(count(), shape));
    parts = BlockHandle(sum_to_block<T>(whole.get(), aligned(count(), to_shape, shape.rank())));
  }
  BlockHandle& to = sweep_.slot(id);
  if (!to) {
    to = std::move(parts);
  } else if (Sweep::writable(to.get())) {
    add_into<T>(to.get(), to.get(), parts.get());
  } else {
    BlockHandle sum(allocate({count(), to_shape.size()}, sizeof(T)));
    add_into<T>(sum.get(), to.get(), parts.get());
    to = std::move(sum);
  }
}
EBB_OVERLOAD_FOR_REALS(DirectionsContext::give,
                       void(std::uint32_t, BlockHandle, const Shape&) const)

template <class T>
void DirectionsContext::give_scaled(std::uint32_t id, Block* slopes) const {
  const Shape of = shape();
  const std::int64_t n = of.size();
  const bool is_one = slopes->is_single();
  const T* const slope = slopes->data<T>();
  BlockHandle parts(allocate({count(), n}, sizeof(T)));
  T* const to = parts->data<T>();
  if (n > 0) {
    // The pull of a * b in a, which is 0 where g is.
    constexpr int mul = op::index_in<op::Mul>(op::Binary{});
    const In<T> in[] = {{gradients()->data<T>(), n, 1}, {}, {slope, 0, is_one ? 0 : 1}, {}};
    const Grid grid = is_one ? Grid{1, count() * n} : Grid{count(), n};
    kernels<T>().binary_pull[mul][0](to, in, grid, nullptr, false);
  }
  for (std::int64_t i = 0; i < (is_one ? 1 : n); ++i) {
    if (slope[i] != 0) continue;
    for (std::int64_t j = i; j < count() * n; j += is_one ? 1 : n) to[j] = 0;
  }
  give<T>(id, std::move(parts), of);
}
EBB_OVERLOAD_FOR_REALS(DirectionsContext::give_scaled, void(std::uint32_t, Block*) const)

template <class T>
Block* DirectionsContext::dense_gradients(std::uint32_t id) const {
  BlockHandle& to = sweep_.slot(id);
  const std::int64_t size = tape().shape_of(id).size();
  if (!to) to = BlockHandle(zeros<T>(count(), size));
  if (!Sweep::writable(to.get())) {
    BlockHandle copy(allocate({count(), size}, sizeof(T)));
    std::copy_n(to->data<T>(), count() * size, copy->data<T>());
    to = std::move(copy);
  }
  return to.get();
}
EBB_OVERLOAD_FOR_REALS(DirectionsContext::dense_gradients, Block*(std::uint32_t) const)

template <class T>
void DirectionsContext::give_product(int k, const Product& p, std::int64_t batches) const {
  const std::uint32_t id = record_.inputs[k];
  struct Matrices {
    const T* data;
    std::int64_t rows, columns;
    bool by_direction;
    const T* at(std::int64_t direction, std::int64_t batch, std::int64_t batches) const {
      return data + ((by_direction ? direction * batches : 0) + batch) * rows * columns;
    }
  };
  const auto matrices = [&](Product::Factor factor) {
    const bool is_g = factor == Product::g;
    Block* const block = is_g ? gradients() : record_.input(factor - Product::a).block;
    const Shape& of = is_g ? shape() : block->shape;
    return Matrices{block->data<T>(), of[of.rank() - 2], of[of.rank() - 1], is_g};
  };
  const Matrices left = matrices(p.left), right = matrices(p.right);
  const std::int64_t m = p.transpose_left ? left.columns : left.rows;
  const std::int64_t inner = p.transpose_left ? left.rows : left.columns;
  const std::int64_t n = p.transpose_right ? right.rows : right.columns;
  // A product writes whole vectors past its end, so that only a single one may add in place.
  const bool is_single = batches == 1 && left.by_direction && !p.transpose_left;
  Block* const into = is_single ? accumulator(id) : nullptr;
  const bool adds = into != nullptr;
  BlockHandle fresh(adds ? nullptr : allocate({count(), batches * m * n}, sizeof(T)));
  T* to = adds ? into->data<T>() : fresh->data<T>();
  if (is_single) {
    // The rows of all directions are multiplied by the same matrix.
    product<T>(false, p.transpose_right, count() * m, n, inner, left.data, right.data, to, adds);
  } else {
    for (std::int64_t j = 0; j < count(); ++j) {
      for (std::int64_t i = 0; i < batches; ++i, to += m * n) {
        product<T>(p.transpose_left, p.transpose_right, m, n, inner, left.at(j, i, batches),
                   right.at(j, i, batches), to, false);
      }
    }
  }
  if (fresh) give<T>(id, std::move(fresh), Shape(tape().shape_of(id)));
}
EBB_OVERLOAD_FOR_REALS(DirectionsContext::give_product,
                       void(int, const Product&, std::int64_t) const)

}  // namespace ebb::inline v0::detail
