// SPDX-License-Identifier: BSD-3-Clause
#include "ebb/data/tables/column_values.hpp"

#include "ebb/autodiff/values/instances.hpp"

namespace ebb::inline v0::data::detail {

template <class T>
std::vector<double> numbers_of(const Table<T>& table, std::size_t column) {
  std::vector<double> numbers;
  numbers.reserve(std::size_t(table.rows()));
  const T* value = table.values().data() + column;
  for (std::int64_t i = 0; i < table.rows(); ++i, value += table.columns().size()) {
    numbers.push_back(double(*value));
  }
  return numbers;
}

void copy_column(const Table<double>& from, std::size_t column, Array<double>& to, std::size_t at) {
  const auto step = std::size_t(to.shape()[1]);
  const double* value = from.values().data() + column;
  double* out = to.mutate() + at;
  for (std::int64_t i = 0; i < from.rows(); ++i) {
    *out = *value;
    value += from.columns().size();
    out += step;
  }
}

EBB_FOR_REALS(numbers_of)

}  // namespace ebb::inline v0::data::detail
