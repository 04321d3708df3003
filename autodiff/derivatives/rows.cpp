// SPDX-License-Identifier: BSD-3-Clause
// Derivatives of functions whose rows are independent: a direction for a column, or for a row.
#include <algorithm>
#include <iterator>

#include "ebb/autodiff/derivatives.hpp"
#include "ebb/autodiff/derivatives/transform.hpp"
#include "ebb/autodiff/ops.hpp"
#include "ebb/autodiff/values/instances.hpp"

namespace ebb::inline v0::detail {
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
EBB_FOR_REALS(per_sample_gradients)

std::int64_t common_rows(const char* name, const Shape& x, const Shape& y) {
  if (x.rank() > 0 && y.rank() > 0 && x[0] == y[0]) return x[0];
  throw ShapeError(std::string(name) + ": x of shape " + to_string(x) + " and y of shape " +
                   to_string(y) + "; both must have the same number of rows");
}

}  // namespace ebb::inline v0::detail
