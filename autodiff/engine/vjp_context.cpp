// SPDX-License-Identifier: BSD-3-Clause
#include "ebb/autodiff/engine/vjp_context.hpp"

#include "ebb/autodiff/kernels/blas.hpp"
#include "ebb/autodiff/kernels/table.hpp"
#include "ebb/autodiff/ops.hpp"
#include "ebb/autodiff/values/instances.hpp"

namespace ebb::inline v0::detail {

template <class T>
EBB_HOT Tensor<T> VjpContext::reduced(const Tensor<T>& part, std::uint32_t id) {
  const Shape& shape = tape_.shape_of(id);
  // A copy of the shape, since recording may move the tape's list of shapes.
  if (mode_.record) return sum_to(part, Shape(shape));
  return Access::tensor<T>(sum_to_block<T>(Access::block(part), shape));
}
EBB_OVERLOAD_FOR_REALS(VjpContext::reduced, Tensor<T>(const Tensor<T>&, std::uint32_t))

template <class T>
EBB_HOT void VjpContext::add(std::uint32_t id, Tensor<T> part) {
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
EBB_OVERLOAD_FOR_REALS(VjpContext::add, void(std::uint32_t, Tensor<T>))

template <class T>
EBB_HOT void VjpContext::give(int k, const Product& p, bool) {
  const std::uint32_t id = record_->inputs[k];
  if (mode_.record) {
    give(id, matmul(factor<T>(p.left), factor<T>(p.right),
                    {.transpose_a = p.transpose_left, .transpose_b = p.transpose_right}));
    return;
  }
  if (current_.block->is_uniform()) {
    release(std::exchange(current_.block, densify<T>(current_.block)));
  }
  const auto block = [&](Product::Factor factor) {
    return factor == Product::g ? current_.block : record_->kept[factor - Product::a];
  };
  // Computed into the existing gradient, or into a new one.
  Block* into = accumulator(id);
  BlockHandle fresh(into ? nullptr : allocate(tape_.shape_of(id), sizeof(T)));
  product_into<T>(into ? into : fresh.get(), block(p.left), block(p.right), p.transpose_left,
                  p.transpose_right, into != nullptr);
  if (!into) give(id, Access::tensor<T>(fresh.take()));
}
EBB_OVERLOAD_FOR_REALS(VjpContext::give, void(int, const Product&, bool))

}  // namespace ebb::inline v0::detail
