// SPDX-License-Identifier: BSD-3-Clause
#include "ebb/nn/layers/linear.hpp"

#include <cmath>

#include "ebb/autodiff/values/error.hpp"

namespace ebb::inline v0::nn {
namespace {

Shape checked(std::int64_t out, std::int64_t in) {
  if (in < 1 || out < 1) {
    throw ArgumentError("Linear: " + std::to_string(in) + " inputs and " + std::to_string(out) +
                        " outputs; there must be at least one of each");
  }
  return {out, in};
}

template <class T>
Array<T> uniform(const Shape& shape, double limit, Stream& stream) {
  auto values = Array<T>::uninitialized(shape);
  T* v = values.mutate();
  for (std::int64_t i = 0; i < shape.size(); ++i) v[i] = T((2 * stream.uniform() - 1) * limit);
  return values;
}

}  // namespace

template <Real T>
Linear<T> Linear<T>::zeros(std::int64_t in, std::int64_t out) {
  return {Array<T>::zeros(checked(out, in)), Array<T>::zeros({out})};
}

template <Real T>
Linear<T>::Linear(Array<T> w, Array<T> b) : weight(std::move(w)), bias(std::move(b)) {}

template <Real T>
Linear<T>::Linear(std::int64_t in, std::int64_t out, Stream& stream)
    : weight(uniform<T>(checked(out, in), 1 / std::sqrt(double(in)), stream)),
      bias(uniform<T>({out}, 1 / std::sqrt(double(in)), stream)) {}

template struct Linear<float>;
template struct Linear<double>;

}  // namespace ebb::inline v0::nn
