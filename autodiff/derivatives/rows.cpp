// SPDX-License-Identifier: BSD-3-Clause
// Derivatives of functions whose rows are independent: a direction for a column, or for a row.
#include <algorithm>
#include <iterator>

#include "ebb/autodiff/derivatives.hpp"
#include "ebb/autodiff/derivatives/transform.hpp"
#include "ebb/autodiff/ops.hpp"
#include "ebb/autodiff/values/instances.hpp"

namespace ebb::inline v0::detail {
namespace {

/// A shape without its first axis.
Shape row_of(const Shape& shape) { return Shape(shape.sizes().subspan(1)); }

/// (n, outputs, inputs) of an argument, from what each column of f(x), or of the argument, gives.
template <class T>
struct RowBlocks {
  std::int64_t n, outputs, inputs;
  bool by_output;
  Array<T> all;

  RowBlocks(const Shape& y, const Shape& x, bool outputs_first)
      : n(y[0]),
        outputs(row_of(y).size()),
        inputs(row_of(x).size()),
        by_output(outputs_first),
        all(Array<T>::zeros(joined("row_jacobian", y, row_of(x)))) {}
  /// Copies column k, (n, inputs) for an output, (n, outputs) for an input.
  void put(std::int64_t k, const T* from) {
    T* const to = all.mutate();
    for (std::int64_t i = 0; i < n; ++i) {
      for (std::int64_t j = 0; j < (by_output ? inputs : outputs); ++j) {
        to[by_output ? (i * outputs + k) * inputs + j : (i * outputs + j) * inputs + k] = *from++;
      }
    }
  }
};

/// Ones in column k of a matrix of n rows.
template <class T>
void set_column(T* to, std::int64_t n, std::int64_t columns, std::int64_t k) {
  for (std::int64_t i = 0; i < n; ++i) to[i * columns + k] = 1;
}

/// The gradients of y at points for ones in each column of y, one after the other: recorded.
template <class T>
std::vector<std::vector<Tensor<T>>> swept_columns(const Tensor<T>& y,
                                                  const std::vector<GradientOf<T>>& points) {
  std::vector<std::vector<Tensor<T>>> all;
  const std::int64_t n = y.shape()[0], columns = row_of(y.shape()).size();
  for (std::int64_t k = 0; k < columns; ++k) {
    auto seed = Array<T>::zeros(y.shape());
    set_column(seed.mutate(), n, columns, k);
    const Tensor<T> start = seed;
    all.push_back(grad(y, points, {.keep_tape = true, .create_graph = true}, &start));
  }
  return all;
}

void check_rows(const Shape& y, const Shape& x) {
  if (x.rank() > 0 && y.rank() > 0 && x[0] == y[0]) return;
  throw ShapeError("row_jacobian: the function's value has shape " + to_string(y) +
                   " for an argument of shape " + to_string(x) +
                   "; both must have the same rows, (n, ...); jacobian takes any function");
}

/// As swept_columns, but as constants, several at a time.
template <class T>
void sweep_columns(const Tensor<T>& y, std::span<const std::uint32_t> ids,
                   std::span<RowBlocks<T>* const> blocks) {
  const std::int64_t n = y.shape()[0], columns = row_of(y.shape()).size();
  DirectionSweep sweep(*current_records(), Access::place(y).record, ids);
  sweep_directions<T>(
      sweep, columns, y.size(), [&](T* seed, std::int64_t k) { set_column(seed, n, columns, k); },
      [&](std::int64_t first, std::int64_t count) {
        for (std::size_t p = 0; p < ids.size(); ++p) {
          const BlockHandle gradients = sweep.take(ids[p]);
          if (!gradients) continue;
          const std::int64_t size = gradients->shape.size() / count;
          for (std::int64_t j = 0; j < count; ++j)
            blocks[p]->put(first + j, gradients->data<T>() + j * size);
        }
      });
}

}  // namespace

template <Real T>
Tensor<T> argument(const Operand<T>& x) {
  const Contents<T> from = Access::contents(x);
  if (from.cell && !current_records()) return Access::tensor<T>(retain(from.block));
  return Access::as_tensor(x);
}
EBB_FOR_REALS(argument)

template <Real T>
std::vector<Tensor<T>> row_jacobian(const FunctionOfTensors<T>& f,
                                    const std::vector<Tensor<T>>& arguments) {
  const Transform transform("row_jacobian");
  std::vector<Tensor<T>> points;
  std::vector<GradientOf<T>> wanted;
  std::vector<std::uint32_t> ids;
  for (const Tensor<T>& x : arguments) {
    points.push_back(transform.point<T>(x));
    wanted.emplace_back(points.back());
    ids.push_back(Access::place(points.back()).record);
  }
  const Tensor<T> y = f(points);
  std::int64_t inputs = 0;
  for (const Tensor<T>& x : points) {
    check_rows(y.shape(), x.shape());
    inputs += row_of(x.shape()).size();
  }
  const bool by_output = row_of(y.shape()).size() <= inputs;
  std::vector<RowBlocks<T>> blocks;
  for (const Tensor<T>& x : points) blocks.emplace_back(y.shape(), x.shape(), by_output);
  std::vector<Tensor<T>> result;
  const auto constants = [&] {
    for (RowBlocks<T>& block : blocks) result.emplace_back(std::move(block.all));
    return std::move(result);
  };
  if (Access::place(y).is_constant() || y.size() == 0) return constants();
  if (by_output && !transform.nested()) {
    std::vector<RowBlocks<T>*> to;
    for (RowBlocks<T>& block : blocks) to.push_back(&block);
    sweep_columns<T>(y, ids, to);
    return constants();
  }
  if (by_output) {
    const auto columns = swept_columns<T>(y, wanted);
    for (std::size_t p = 0; p < points.size(); ++p) {
      std::vector<Tensor<T>> parts;
      for (const auto& column : columns)
        parts.push_back(reshape(column[p], {blocks[p].n, 1, blocks[p].inputs}));
      result.push_back(reshape(concat(parts, 1), blocks[p].all.shape()));
    }
    return result;
  }
  // v^T J as a recorded function of v, which is linear in v.
  const Tensor<T> v = transform.point<T>(Tensor<T>(Array<T>::full(y.shape(), T(1))));
  const std::uint32_t id = Access::place(v).record;
  const auto products = grad(y, wanted, {.create_graph = true}, &v);
  for (std::size_t p = 0; p < points.size(); ++p) {
    const Tensor<T>& product = products[p];
    if (Access::place(product).is_constant()) {
      result.push_back(blocks[p].all);
    } else if (!transform.nested()) {
      RowBlocks<T>* const to[] = {&blocks[p]};
      sweep_columns<T>(product, {&id, 1}, to);
      result.push_back(blocks[p].all);
    } else {
      std::vector<Tensor<T>> parts;
      for (const auto& column : swept_columns<T>(product, {v}))
        parts.push_back(reshape(column[0], {blocks[p].n, blocks[p].outputs, 1}));
      result.push_back(reshape(concat(parts, 2), blocks[p].all.shape()));
    }
  }
  return result;
}
EBB_FOR_REALS(row_jacobian)

template <Real T>
std::vector<Array<T>> per_sample_gradients(const std::function<Tensor<T>()>& losses,
                                           const std::vector<GradientOf<T>>& inputs) {
  constexpr const char* name = "per_sample_gradients";
  const Tape tape;
  const Tensor<T> y = losses();
  if (y.rank() != 1) {
    throw ShapeError(std::string(name) + ": the losses have shape " + to_string(y.shape()) +
                     "; there must be one for each row, (n,)");
  }
  std::vector<Array<T>> all;
  std::vector<std::uint32_t> ids;
  Records& records = *current_records();
  for (const auto& input : inputs) {
    const Contents<T> from = Access::contents(input.operand(), name);
    if (!from.cell) {
      throw TapeError(std::string(name) +
                      ": an input is not a Variable that is trained; its gradients are asked for");
    }
    all.push_back(Array<T>::zeros(joined(name, y.shape(), from.block->shape)));
    // A variable that was not used has gradients of zeros.
    ids.push_back(records.find_leaf(from.cell));
  }
  const bool is_used = std::ranges::any_of(ids, [](std::uint32_t id) { return id > 0; });
  if (Access::place(y).is_constant() || y.size() == 0 || !is_used) return all;
  std::vector<std::uint32_t> used;
  std::ranges::copy_if(ids, std::back_inserter(used), [](std::uint32_t id) { return id > 0; });
  DirectionSweep sweep(records, Access::place(y).record, used);
  sweep_directions<T>(
      sweep, y.size(), y.size(), [](T* seed, std::int64_t row) { seed[row] = 1; },
      [&](std::int64_t first, std::int64_t count) {
        for (std::size_t k = 0; k < ids.size(); ++k) {
          const BlockHandle gradients = ids[k] ? sweep.take(ids[k]) : BlockHandle();
          if (!gradients) continue;
          const std::int64_t size = gradients->shape.size() / count;
          std::copy_n(gradients->data<T>(), count * size, all[k].mutate() + first * size);
        }
      });
  return all;
}
EBB_OVERLOAD_FOR_REALS(per_sample_gradients,
                       std::vector<Array<T>>(const std::function<Tensor<T>()>&,
                                             const std::vector<GradientOf<T>>&))

template <Real T>
std::vector<Array<T>> per_sample_gradients(const RowsFunction<T>& loss_of_row, std::int64_t rows,
                                           const std::vector<GradientOf<T>>& inputs) {
  std::vector<Array<T>> all;
  for (const auto& input : inputs) {
    all.push_back(Array<T>::uninitialized(joined(
        "per_sample_gradients", {rows}, Access::shape(input.operand(), "per_sample_gradients"))));
  }
  for (std::int64_t row = 0; row < rows; ++row) {
    const Tape tape;
    const Tensor<T> loss = loss_of_row(row);
    if (loss.size() != 1) {
      throw ShapeError("per_sample_gradients: the loss of a row has shape " +
                       to_string(loss.shape()) + " and is not a single value");
    }
    const auto gradients = grad(loss, inputs);
    for (std::size_t k = 0; k < inputs.size(); ++k) {
      std::copy_n(gradients[k].data(), gradients[k].size(),
                  all[k].mutate() + row * gradients[k].size());
    }
  }
  return all;
}
EBB_OVERLOAD_FOR_REALS(per_sample_gradients,
                       std::vector<Array<T>>(const RowsFunction<T>&, std::int64_t,
                                             const std::vector<GradientOf<T>>&))

std::int64_t common_rows(const char* name, const Shape& x, const Shape& y) {
  if (x.rank() > 0 && y.rank() > 0 && x[0] == y[0]) return x[0];
  throw ShapeError(std::string(name) + ": x of shape " + to_string(x) + " and y of shape " +
                   to_string(y) + "; both must have the same number of rows");
}

}  // namespace ebb::inline v0::detail
