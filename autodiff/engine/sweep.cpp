// SPDX-License-Identifier: BSD-3-Clause
#include "ebb/autodiff/engine/sweep.hpp"

#include <algorithm>
#include <cassert>
#include <cstring>
#include <functional>

#include "ebb/autodiff/kernels/blas.hpp"
#include "ebb/autodiff/kernels/table.hpp"
#include "ebb/autodiff/ops.hpp"
#include "ebb/autodiff/values/error.hpp"
#include "ebb/autodiff/values/instances.hpp"
#ifdef EBB_MUTATE
#include "ebb/autodiff/engine/mutant.hpp"
#endif

namespace ebb::inline v0::detail {
namespace {

BlockHandle zeroed_bytes(std::size_t bytes) {
  BlockHandle block(allocate_bytes(bytes));
  std::memset(block->data<char>(), 0, bytes);
  return block;
}

/// A copy of a block that no other handle shares.
template <class T>
bool is_private(const Array<T>& array) {
  const Block* block = Access::block(array);
  return block->is_sole() && !block->is_view();
}

/// A gradient is added to its cell in two steps, the second of which cannot fail.
template <class T>
void prepare(Cell<T>* cell, Block*& gradient) {
  const bool first = cell->gradient.empty();
  if (first && !gradient->is_uniform()) return;
  const bool in_place = !first && is_private(cell->gradient);
  if (in_place && !gradient->is_uniform()) return;
  BlockHandle sum(allocate(gradient->shape, sizeof(T)));
  if (first || in_place) {
    copy_into<T>(sum.get(), gradient);
  } else {
    add_into<T>(sum.get(), gradient, Access::block(cell->gradient));
  }
  release(std::exchange(gradient, sum.take()));
}

template <class T>
void put(Cell<T>* cell, Block* gradient) {
  if (!cell->gradient.empty()) {
    if (cell->drawn) [[unlikely]]
      cell->drawn->forget();
    if (is_private(cell->gradient)) {
      Block* held = Access::block(cell->gradient);
      add_into<T>(held, gradient, held);
      return release(gradient);
    }
  }
  cell->gradient = Access::array<T>(gradient);  // the first gradient, or already the sum
}

/// Sorts rows, and names each once.
void make_unique(std::vector<std::int64_t>& rows) {
  if (std::is_sorted(rows.begin(), rows.end(), std::less_equal<>())) return;
  std::sort(rows.begin(), rows.end());
  rows.erase(std::unique(rows.begin(), rows.end()), rows.end());
}

/// Moves a gradient of few rows into its cell, which has none or one that is added to in place.
/// Neither allocates: the cell has its list, and room for all rows in it.
template <class T>
void put_drawn(Cell<T>* cell, BlockHandle block, std::vector<std::int64_t>& rows,
               int axis) noexcept {
  DrawnRows& drawn = *cell->drawn;
  if (cell->gradient.empty()) {
    drawn.of = block.get();
    drawn.axis = axis;
    drawn.rows.swap(rows);
    cell->gradient = Access::array<T>(block.take());
    return;
  }
  Block* const held = Access::block(cell->gradient);
  T* const to = held->data<T>();
  T* const from = block->data<T>();
  for_each_drawn(held->shape, axis, rows, [&](std::int64_t first, std::int64_t last) {
    for (std::int64_t i = first; i < last; ++i) {
      to[i] += from[i];
      from[i] = 0;
    }
  });
  if (drawn.describe(held) && drawn.axis == axis) {
    drawn.rows.insert(drawn.rows.end(), rows.begin(), rows.end());
    make_unique(drawn.rows);
  } else {
    drawn.forget();
  }
  drawn.zeros = std::move(block);
}

}  // namespace

EBB_HOT Sweep::Sweep(Records& tape, std::uint32_t low, std::uint32_t high, Mode mode)
    : tape_(tape), low_(low), high_(high), mode_(mode), slots_(few_slots_) {
  const std::size_t count = high - low + 1;
  if (count > std::size(few_slots_)) {
    many_slots_ = zeroed_bytes(count * sizeof(Slot));
    slots_ = many_slots_->data<Slot>();
  } else {
    for (std::size_t i = 0; i < count; ++i) slots_[i] = {};
  }
}

EBB_HOT Sweep::~Sweep() {
  if (committed_) [[likely]] {
    assert(
        std::none_of(slots_, slots_ + (high_ - low_ + 1), [](const Slot& s) { return s.block; }));
    return;
  }
  for (const Slot& slot : std::span(slots_, high_ - low_ + 1)) {
    if (slot.block) [[unlikely]]
      release(slot.block);
  }
  if (current_.block) [[unlikely]]
    release(current_.block);
}

void Sweep::restrict_to(std::span<const std::uint32_t> ids) {
  marks_ = zeroed_bytes(high_ - low_ + 1);
  Mark* marks = marks_->data<Mark>();
  for (std::uint32_t id : ids) {
    if (id >= low_ && id <= high_) marks[id - low_] = wanted;
  }
  for (std::uint32_t id = low_; id <= high_; ++id) {
    if (marks[id - low_] != unneeded) continue;
    bool any = false;
    for_each_input(tape_.at(id), [&](std::uint32_t input) {
      any |= input >= low_ && marks[input - low_] != unneeded;
    });
    if (any) marks[id - low_] = needed;
  }
}

#ifdef EBB_MUTATE
/// Replaces the gradient that the record gives to the input that the mutant chooses. The gradient
/// that earlier records gave to that input is saved first, so that its slot has only this part.
void Sweep::run_vjp(Record& record) {
  const int k = mutant.input_to_break ? mutant.input_to_break(record) : -1;
  const Argument input = k < 0                    ? Argument()
                         : record.op->many_inputs ? many_inputs_of(record)[std::size_t(k)]
                                                  : record.input(k);
  if (!needs(input.id)) return record.op->vjp({*this, record});
  const Slot others = std::exchange(slot(input.id), {});
  record.op->vjp({*this, record});
  const Slot part = std::exchange(slot(input.id), others);
  if (!part.block) return;
  const auto give_broken = [&]<Real T>(Tensor<T> (*broken)(const Tensor<T>&)) {
    give(input.id, broken(VjpContext(*this, record).tensor<T>({part.block, part.id})));
  };
  tape_.at(input.id).op->is_double ? give_broken(mutant.broken_double)
                                   : give_broken(mutant.broken_float);
  release(part.block);
}
#else
EBB_INLINE void Sweep::run_vjp(Record& record) { record.op->vjp({*this, record}); }
#endif

void Sweep::visit(std::uint32_t id, Record& record) {
  Slot& arrived = slot(id);
  if (!arrived.block) return;
  if (marks_ && mark(id) != needed) {
    // A wanted record keeps its gradient. It may also be on the way to an earlier wanted one.
    bool any = false;
    for_each_input(record, [&](std::uint32_t input) { any |= needs(input); });
    if (!any) return;
    current_ = {retain(arrived.block), arrived.id};
  } else {
    current_ = std::exchange(arrived, Slot{});
  }
  visited_ = id;
  run_vjp(record);
  if (tape_.checks_finite()) [[unlikely]]
    check_parts(record);
  if (Block* block = std::exchange(current_.block, nullptr)) release(block);
}

EBB_HOT void Sweep::run() {
  const RecordingScope to(mode_.record ? &tape_ : nullptr);
  if (mode_.consume) tape_.truncate(high_);
  for (std::uint32_t id = high_; id >= low_; --id) {
    Record& record = tape_.at(id);
    if (record.op->vjp) visit(id, record);
    if (mode_.consume) tape_.pop(record);
  }
}

void Sweep::run_only(std::uint32_t id) {
  const RecordingScope to(nullptr);
  visit(id, tape_.at(id));
}

void Sweep::left_gradient(std::uint32_t first, int result, BlockHandle block, std::uint32_t id) {
  if (!left_) left_ = std::make_unique<std::vector<Left>>();
  left_->push_back({first, result, std::move(block), id});
}

void Sweep::leave_gradient(std::uint32_t first, int result) {
  left_gradient(first, result, BlockHandle(retain(current_.block)), current_.id);
  Slot& to = slot(first);
  if (to.block) return;
  const Shape& shape = tape_.shape_of(first);
  const std::size_t size = tape_.at(first).op->is_double ? sizeof(double) : sizeof(float);
  // A gradient that is recorded has all its elements.
  to = {mode_.record ? allocate(shape, size) : allocate_uniform(shape, size), Argument::constant};
  const std::size_t elements = mode_.record ? std::size_t(shape.size()) : 1;
  std::memset(to.block->data<char>(), 0, elements * size);
}

template <class T>
Tensor<T> Sweep::further_gradient(int result) const {
  if (!left_) return {};
  const auto is_of_this = [&](const Left& left) {
    return left.first == visited_ && left.result == result;
  };
  const auto left = std::find_if(left_->rbegin(), left_->rend(), is_of_this);
  if (left == left_->rend()) return {};
  return Access::tensor<T>(retain(left->block.get()), place(left->id));
}
EBB_OVERLOAD_FOR_REALS(Sweep::further_gradient, Tensor<T>(int) const)

void Sweep::drop_further_gradients() {
  while (left_ && !left_->empty() && left_->back().first == visited_) left_->pop_back();
}

void Sweep::check_parts(const Record& record) const {
  for_each_input(record, [&](std::uint32_t id) {
    if (!needs(id) || !slot(id).block) return;
    check_finite_option(std::string(name_of(record)) +
                            ": in the sweep, the gradient that it gives #" + std::to_string(id) +
                            " (" + std::string(name_of(tape_.at(id))) + "),",
                        slot(id).block, tape_.at(id).op->is_double);
  });
}

template <class T>
Tensor<T> Sweep::arrived(std::uint32_t id) const {
  const Slot& from = slot(id);
  if (!from.block) return {};
  if (!from.block->is_uniform()) return Access::tensor<T>(retain(from.block), place(from.id));
  return Access::tensor<T>(densify<T>(from.block), place(from.id));
}
EBB_OVERLOAD_FOR_REALS(Sweep::arrived, Tensor<T>(std::uint32_t) const)

EBB_HOT void Sweep::commit() {
  const auto for_each_arrived = [&](const auto& f) {
    for (const Leaf& leaf : tape_.leaves()) {
      if (leaf.id - low_ > high_ - low_ || !slot(leaf.id).block) continue;
      leaf.visit([&](auto* cell) { f(cell, slot(leaf.id).block); });
    }
  };
  if (lists_unheld) [[unlikely]] {
    clear_unheld();
    for_each_arrived([](const auto* cell, Block*) { list_if_unheld(cell); });
  }
  // All memory is allocated first, before any gradient is changed.
  if (drawn_) [[unlikely]]
    prepare_drawn();
  for_each_arrived([](auto* cell, Block*& block) { prepare(cell, block); });
  for_each_arrived([](auto* cell, Block*& block) { put(cell, std::exchange(block, nullptr)); });
  if (drawn_) [[unlikely]]
    put_drawn_rows();
  committed_ = true;
}

const Leaf* Sweep::leaf_of(std::uint32_t id) const {
  const auto& leaves = tape_.leaves();
  const auto leaf = std::ranges::lower_bound(leaves, id, {}, &Leaf::id);
  return leaf != leaves.end() && leaf->id == id ? &*leaf : nullptr;
}

void Sweep::prepare_drawn() {
  // A gradient that got more than rows, or is added to one that others read, is like any other.
  std::erase_if(*drawn_, [&](const Drawn& drawn) {
    bool is_of_rows = slot(drawn.id).block == drawn.block.get();
    leaf_of(drawn.id)->visit([&](const auto* cell) {
      is_of_rows &= cell->gradient.empty() || is_private(cell->gradient);
    });
    return !is_of_rows;
  });
  for (Drawn& drawn : *drawn_) {
    make_unique(drawn.rows);
    leaf_of(drawn.id)->visit([&](auto* cell) {
      if (!cell->drawn) cell->drawn = std::make_unique<DrawnRows>();
      cell->drawn->rows.reserve(cell->drawn->rows.size() + drawn.rows.size());
    });
    release(std::exchange(slot(drawn.id).block, nullptr));
  }
}

void Sweep::put_drawn_rows() {
  for (Drawn& drawn : *drawn_) {
    leaf_of(drawn.id)->visit(
        [&](auto* cell) { put_drawn(cell, std::move(drawn.block), drawn.rows, drawn.axis); });
  }
}

template <class T>
EBB_HOT Tensor<T> Sweep::reduced(const Tensor<T>& part, std::uint32_t id) {
  const Shape& shape = tape_.shape_of(id);
  // A copy of the shape, since recording may move the tape's list of shapes.
  if (mode_.record) return sum_to(part, Shape(shape));
  return Access::tensor<T>(sum_to_block<T>(Access::block(part), shape));
}
EBB_OVERLOAD_FOR_REALS(Sweep::reduced, Tensor<T>(const Tensor<T>&, std::uint32_t))

template <class T>
EBB_HOT void Sweep::add(std::uint32_t id, Tensor<T>&& part) {
  Slot& to = slot(id);
  if (mode_.record) {
    const Tensor<T> before = Access::tensor<T>(to.block, place(to.id));
    to.block = nullptr;
    part = before + part;
    to.id = Access::place(part).record;
    to.block = Access::take(std::move(part));
    return;
  }
  if (writable(to.block)) {
    add_into<T>(to.block, to.block, Access::block(part));
    return;
  }
  BlockHandle sum(allocate(tape_.shape_of(id), sizeof(T)));
  add_into<T>(sum.get(), to.block, Access::block(part));
  release(std::exchange(to.block, sum.take()));
}
EBB_OVERLOAD_FOR_REALS(Sweep::add, void(std::uint32_t, Tensor<T>&&))

template <class T>
Block* Sweep::dense_gradient(std::uint32_t id) {
  Block*& block = slot(id).block;
  if (block && writable(block)) return block;
  BlockHandle dense(allocate(tape_.shape_of(id), sizeof(T)));
  if (block) {
    copy_into<T>(dense.get(), block);
    release(block);
  } else {
    std::fill_n(dense->data<T>(), dense->shape.size(), T(0));
  }
  return block = dense.take();
}
EBB_OVERLOAD_FOR_REALS(Sweep::dense_gradient, Block*(std::uint32_t))

template <class T>
RowGradient Sweep::row_gradient(std::uint32_t id, std::int64_t count, int axis) {
  // Where many rows are drawn, or all are few, a list of them saves nothing. One of single elements
  // takes long for each.
  const Shape& shape = tape_.shape_of(id);
  const std::int64_t many = axis == 0 ? 8 : 32, few_elements = 4096;
  const Slot& to = slot(id);
  if (drawn_) {
    for (Drawn& drawn : *drawn_) {
      if (drawn.id == id && drawn.axis == axis && drawn.block.get() == to.block)
        return {to.block, &drawn.rows};
    }
  }
  const bool is_small = count > shape[axis] / many || shape.size() < few_elements;
  const Leaf* const leaf = mode_.commits && !to.block && !is_small ? leaf_of(id) : nullptr;
  if (!leaf) return {dense_gradient<T>(id), nullptr};
  if (!drawn_) drawn_ = std::make_unique<std::vector<Drawn>>();
  drawn_->push_back({id, axis, {}, {}});
  Drawn& drawn = drawn_->back();
  Cell<T>* const cell = static_cast<Cell<T>*>(leaf->cell);
  if (cell->drawn && cell->drawn->zeros) {
    slot(id).block = cell->drawn->zeros.take();
  } else {
    dense_gradient<T>(id);
  }
  drawn.block = BlockHandle(retain(slot(id).block));
  return {slot(id).block, &drawn.rows};
}
EBB_OVERLOAD_FOR_REALS(Sweep::row_gradient, RowGradient(std::uint32_t, std::int64_t, int))

template <class T>
EBB_HOT void Sweep::give_product(Record& record, int k, const Product& p) {
  const VjpContext context(*this, record);
  const std::uint32_t id = record.inputs[k];
  const auto kept = [&](Product::Factor factor) { return record.input(factor - Product::a); };
  if (mode_.record) {
    const auto factor = [&](Product::Factor f) {
      return f == Product::g ? context.gradient<T>() : context.tensor<T>(kept(f));
    };
    give(id, matmul(factor(p.left), factor(p.right),
                    {.transpose_a = p.transpose_left, .transpose_b = p.transpose_right}));
    return;
  }
  if (current_.block->is_uniform()) {
    release(std::exchange(current_.block, densify<T>(current_.block)));
  }
  const auto block = [&](Product::Factor f) {
    return f == Product::g ? current_.block : kept(f).block;
  };
  // Computed into the existing gradient, or into a new one.
  Block* into = context.accumulator(id);
  BlockHandle fresh(into ? nullptr : allocate(tape_.shape_of(id), sizeof(T)));
  product_into<T>(into ? into : fresh.get(), block(p.left), block(p.right), p.transpose_left,
                  p.transpose_right, into != nullptr);
  if (!into) give(id, Access::tensor<T>(fresh.take()));
}
EBB_OVERLOAD_FOR_REALS(Sweep::give_product, void(Record&, int, const Product&))

}  // namespace ebb::inline v0::detail
