// SPDX-License-Identifier: BSD-3-Clause
#include "ebb/data/transforms/standardizer.hpp"

#include <algorithm>
#include <cmath>
#include <string>

#include "ebb/autodiff/values/error.hpp"
#include "ebb/data/tables/statistics.hpp"

namespace ebb::inline v0::data {
namespace {

template <class T>
void check_training_rows(const Array<T>& x) {
  if (x.rank() != 2 || x.shape()[0] < 1) {
    throw ShapeError("Standardizer: training rows of shape " + to_string(x.shape()) +
                     "; there must be two axes, and at least one row");
  }
  const auto bad = std::find_if(x.begin(), x.end(), [](T v) { return !std::isfinite(v); });
  if (bad == x.end()) return;
  const std::int64_t at = bad - x.begin(), columns = x.shape()[1];
  throw ArgumentError("Standardizer: the value in row " + std::to_string(at / columns) +
                      ", column " + std::to_string(at % columns) +
                      " of the training rows is not finite");
}

}  // namespace

template <Real T>
Standardizer<T>::Standardizer(const Array<T>& x) {
  check_training_rows(x);
  for (const detail::Moments& column : detail::column_moments(x)) {
    if (!std::isfinite(column.maximum - column.minimum)) {
      throw ArgumentError("Standardizer: the range of column " + std::to_string(mean_.size()) +
                          " of the training rows is too large for double");
    }
    mean_.push_back(column.mean);
    scale_.push_back(column.maximum == column.minimum ? 1 : column.deviation);
  }
}

template <Real T>
template <class F>
Array<T> Standardizer<T>::map(const char* operation, const Array<T>& x, F f) const {
  const std::size_t d = mean_.size();
  if (x.rank() != 2 || x.shape()[1] != std::int64_t(d)) {
    throw ShapeError("Standardizer: " + std::string(operation) + " of shape " +
                     to_string(x.shape()) + ", but it was made from rows of " + std::to_string(d) +
                     " columns");
  }
  auto y = Array<T>::uninitialized(x.shape());
  T* out = y.mutate();
  const T* in = x.data();
  for (std::int64_t i = 0; i < x.shape()[0]; ++i, in += d, out += d) {
    for (std::size_t j = 0; j < d; ++j) out[j] = T(f(double(in[j]), mean_[j], scale_[j]));
  }
  return y;
}

template <Real T>
Array<T> Standardizer<T>::transform(const Array<T>& x) const {
  return map("transform", x,
             [](double v, double mean, double scale) { return (v - mean) / scale; });
}

template <Real T>
Array<T> Standardizer<T>::inverse(const Array<T>& z) const {
  return map("inverse", z, [](double v, double mean, double scale) { return v * scale + mean; });
}

template class Standardizer<float>;
template class Standardizer<double>;

}  // namespace ebb::inline v0::data
