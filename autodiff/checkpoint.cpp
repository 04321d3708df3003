// SPDX-License-Identifier: BSD-3-Clause
#include "ebb/autodiff/checkpoint.hpp"

#include <algorithm>
#include <optional>

#include "ebb/autodiff/engine/higher_order.hpp"
#include "ebb/autodiff/engine/identity.hpp"
#include "ebb/autodiff/tape.hpp"
#include "ebb/autodiff/values/boxed.hpp"
#include "ebb/autodiff/values/draws.hpp"
#include "ebb/autodiff/values/error.hpp"
#include "ebb/autodiff/values/instances.hpp"

namespace ebb::inline v0 {
namespace detail {
namespace {

/// A part that is computed again, with its draws of the first time. Its variables are inputs, too,
/// after the given ones.
template <class T>
struct Part {
  TensorFunction<T> f;
  std::vector<Variable<T>> variables;
  std::vector<std::uint32_t> drawn;

  Tensor<T> operator()(std::span<const Tensor<T>> in) const {
    const Draws again = Draws::repeat(drawn);
    const std::size_t given = in.size() - variables.size();
    std::vector<Substitution::Entry> entries;
    for (std::size_t i = 0; i < variables.size(); ++i) {
      const Tensor<T>& value = in[given + i];
      entries.push_back(
          {Access::cell(variables[i]), sizeof(T) == 8, Access::block(value), Access::place(value)});
    }
    const SubstitutionScope scope(entries);
    return f(in.first(given));
  }
};

template <class T>
void vjp_checkpoint(VjpContext context) {
  const Record& record = context.record();
  differentiate_recorded<T>(context, many_inputs_of(record),
                            std::cref(unboxed<Part<T>>(record.attributes.block)));
}
template <class T>
constexpr Op checkpoint_op{.name = "checkpoint",
                           .vjp = &vjp_checkpoint<T>,
                           .many_inputs = true,
                           .attribute_block = true,
                           .is_double = sizeof(T) == 8,
                           .destroy = &destroy_boxed<Part<T>>};

/// A separate tape for one run of a part. Variables whose values are replaced by tensors are leaves
/// like all others.
class VariableFinder {
 public:
  VariableFinder() {
    for (const Substitution* call = current_substitution; call; call = call->outer) {
      for (const auto& entry : call->entries) {
        const auto same = [&](const auto& e) { return e.cell == entry.cell; };
        if (std::any_of(leaves_.begin(), leaves_.end(), same)) continue;
        const Place place = entry.is_double ? leaf<double>(entry.block) : leaf<float>(entry.block);
        leaves_.push_back({entry.cell, entry.is_double, entry.block, place});
      }
    }
    scope_.emplace(leaves_);
  }
  /// Handles to the variables that the part used.
  template <class T>
  std::vector<Variable<T>> variables() const {
    std::vector<Variable<T>> found;
    Records& tape = *current_records();
    for (const auto& entry : leaves_) {
      bool used = false;
      for (std::uint32_t id = 1; id <= tape.last(); ++id) {
        for_each_input(tape.at(id),
                       [&](std::uint32_t input) { used |= input == entry.place.record; });
      }
      if (used) found.push_back(handle<T>(entry.cell, entry.is_double));
    }
    for (const Leaf& leaf : tape.leaves()) found.push_back(handle<T>(leaf.cell, leaf.is_double));
    return found;
  }

 private:
  template <class T>
  static Place leaf(Block* value) {
    return Access::place(
        identity_record(*current_records(), Argument::constant, Access::tensor<T>(retain(value))));
  }
  template <class T>
  static Variable<T> handle(const void* cell, bool is_double) {
    if (is_double != (sizeof(T) == 8)) {
      throw ArgumentError(
          "checkpoint: the function uses a variable of another element type than its inputs");
    }
    return Access::variable<T>(retain(static_cast<Cell<T>*>(const_cast<void*>(cell))));
  }

  Tape tape_;
  std::vector<Substitution::Entry> leaves_;
  std::optional<SubstitutionScope> scope_;
};

}  // namespace

template <Real T>
Tensor<T> checkpoint(TensorFunction<T> f, std::span<const Operand<T>* const> operands) {
  std::vector<Tensor<T>> given, constants;
  for (const Operand<T>* operand : operands) {
    given.push_back(Access::as_tensor(*operand, "checkpoint"));
    constants.push_back(given.back().detach());
  }
  Records* tape = current_records();
  if (!tape) return f(given);
  Part<T> part{std::move(f), {}, {}};
  Tensor<T> y;
  {
    const VariableFinder run;
    const Draws first = Draws::note(part.drawn);
    y = part.f(constants).detach();
    part.variables = run.variables<T>();
  }
  std::vector<Argument> arguments;
  bool recorded = false;
  const auto add = [&](Block* block, std::uint32_t id) {
    arguments.push_back({block, id});
    recorded |= arguments.back().is_recorded();
  };
  for (const Tensor<T>& x : given) {
    add(Access::block(x), tape->admit("checkpoint", Access::place(x)));
  }
  for (const Variable<T>& variable : part.variables) {
    const Tensor<T> value = variable;
    add(Access::block(value), Access::place(value).record);
  }
  if (!recorded) return y;
  BlockHandle box(boxed(std::move(part)));
  Record& record = tape->next_wide(checkpoint_op<T>, y.shape(), arguments.size());
  keep_inputs(record, arguments);
  record.attributes.block = box.take();
  return Access::tensor<T>(retain(Access::block(y)), tape->publish(Access::block(y)));
}
EBB_FOR_REALS(checkpoint)

}  // namespace detail

}  // namespace ebb::inline v0
