// SPDX-License-Identifier: BSD-3-Clause
#include "ebb/autodiff/values/array.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <locale>
#include <ostream>
#include <sstream>
#include <vector>

#include "ebb/autodiff/values/access.hpp"
#include "ebb/autodiff/values/error.hpp"

namespace ebb::inline v0 {
namespace {

template <class T>
void print(std::ostream& out, const T* data, const Shape& shape, int axis, std::int64_t stride) {
  constexpr std::int64_t shown = 4;  // at each end
  if (axis == shape.rank()) {
    out << +*data;
    return;
  }
  const std::int64_t n = shape[axis];
  const std::int64_t step = n ? stride / n : 0;
  out << '[';
  for (std::int64_t i = 0; i < n; ++i) {
    if (i > 0)
      out << (axis + 1 < shape.rank() ? ",\n" + std::string(std::size_t(axis + 1), ' ') : ", ");
    if (n > 2 * shown + 1 && i == shown) {
      out << "...";
      i = n - shown - 1;
      continue;
    }
    print(out, data + i * step, shape, axis + 1, step);
  }
  out << ']';
}

[[noreturn]] void throw_range(double begin, double end, double step) {
  throw ArgumentError("arange: from " + detail::to_text(begin) + " to " + detail::to_text(end) +
                      " by " + detail::to_text(step) +
                      "; the numbers are finite, the step is not 0, and memory holds the array");
}

/// How many of begin, begin + step, ... are before end.
template <Real T>
std::int64_t steps_between(T begin, T end, T step) {
  double count = std::ceil((double(end) - double(begin)) / double(step));
  if (!(count < 0x1p56)) throw_range(begin, end, step);
  // The quotient may be rounded up to one number too many.
  if (count > 0 && (step > 0) == (begin + T(count - 1) * step >= end)) --count;
  return std::max(std::int64_t(0), std::int64_t(count));
}
std::int64_t steps_between(std::int64_t begin, std::int64_t end, std::int64_t step) {
  if (step == 0) throw_range(double(begin), double(end), double(step));
  if (step > 0 ? end <= begin : end >= begin) return 0;
  // Without a sign no difference overflows.
  const auto size = [](std::int64_t from, std::int64_t to) {
    return std::uint64_t(to) - std::uint64_t(from);
  };
  const std::uint64_t count = (step > 0 ? size(begin, end) - 1 : size(end, begin) - 1) /
                                  (step > 0 ? std::uint64_t(step) : size(step, 0)) +
                              1;
  if (count >= std::uint64_t(1) << 56) throw_range(double(begin), double(end), double(step));
  return std::int64_t(count);
}

}  // namespace

namespace detail {
const Shape& no_elements() {
  static const Shape none{0};
  return none;
}
}  // namespace detail

template <class T>
Array<T>::Array(T value) : Array(Owned{detail::allocate(Shape(), sizeof(T))}) {
  *block()->template data<T>() = value;
}

template <class T>
Array<T>::Array(const Shape& shape, std::initializer_list<T> values)
    : Array(shape, std::span<const T>(values.begin(), values.size())) {}

template <class T>
Array<T>::Array(const Shape& shape, std::span<const T> values) : Array() {
  if (std::int64_t(values.size()) != shape.size()) {
    throw ShapeError("array: " + std::to_string(values.size()) + " values do not fill the shape " +
                     to_string(shape) + " of " + std::to_string(shape.size()) + " elements");
  }
  this->set(detail::allocate(shape, sizeof(T)), Operand<T>::Kind::array);
  std::copy(values.begin(), values.end(), block()->template data<T>());
}

template <class T>
Array<T> Array<T>::of(std::initializer_list<std::initializer_list<T>> rows) {
  if (rows.size() == 0) return uninitialized({0});
  const auto width = rows.begin()->size();
  auto array = uninitialized({std::int64_t(rows.size()), std::int64_t(width)});
  T* out = array.mutate();
  for (const auto& row : rows) {
    if (row.size() != width) throw ShapeError("array: the rows of a matrix differ in length");
    out = std::copy(row.begin(), row.end(), out);
  }
  return array;
}

template <class T>
Array<T> Array<T>::zeros(const Shape& shape) {
  return full(shape, T(0));
}

template <class T>
Array<T> Array<T>::full(const Shape& shape, T value) {
  auto array = uninitialized(shape);
  std::fill_n(array.mutate(), shape.size(), value);
  return array;
}

template <class T>
Array<T> Array<T>::ones(const Shape& shape) {
  return full(shape, T(1));
}

template <class T>
Array<T> Array<T>::eye(std::int64_t rows, std::int64_t columns) {
  if (columns == -1) columns = rows;
  auto array = zeros({rows, columns});
  T* const out = array.mutate();
  for (std::int64_t i = 0; i < std::min(rows, columns); ++i) out[i * columns + i] = T(1);
  return array;
}

template <class T>
Array<T> Array<T>::arange(T begin, T end, T step) {
  auto array = uninitialized({steps_between(begin, end, step)});
  T* const out = array.mutate();
  for (std::int64_t i = 0; i < array.size(); ++i) {
    if constexpr (std::same_as<T, std::int64_t>) {
      // Without a sign, as the product alone may be beyond the type.
      out[i] = T(std::uint64_t(begin) + std::uint64_t(i) * std::uint64_t(step));
    } else {
      out[i] = T(begin + T(i) * step);
    }
  }
  return array;
}

template <class T>
Array<T> Array<T>::linspace(T first, T last, std::int64_t count) requires Real<T> {
  if (count < 0) {
    throw ArgumentError("linspace: a count of " + std::to_string(count) + "; it is at least 0");
  }
  auto array = uninitialized({count});
  T* const out = array.mutate();
  for (std::int64_t i = 0; i < count; ++i) {
    const double part = count > 1 ? double(i) / double(count - 1) : 0;
    out[i] = T((1 - part) * double(first) + part * double(last));
  }
  return array;
}

template <class T>
Array<T> Array<T>::uninitialized(const Shape& shape) {
  return Array(Owned{detail::allocate(shape, sizeof(T))});
}

template <class T>
std::int64_t Array<T>::position(std::span<const std::int64_t> index) const {
  const Shape& s = shape();
  bool inside = int(index.size()) == s.rank();
  std::int64_t position = 0;
  for (int i = 0; inside && i < s.rank(); ++i) {
    inside = index[std::size_t(i)] >= 0 && index[std::size_t(i)] < s[i];
    position = position * s[i] + index[std::size_t(i)];
  }
  if (inside) return position;
  std::string text;
  for (std::int64_t i : index) text += (text.empty() ? "" : ", ") + std::to_string(i);
  throw ArgumentError("array: index (" + text + ") is outside of the shape " + to_string(s));
}

template <class T>
T Array<T>::item() const {
  if (size() != 1) {
    throw ShapeError("item: an array of shape " + to_string(shape()) + " is not a single value");
  }
  return *data();
}

template <class T>
void Array<T>::unshare() {
  auto copy = uninitialized(shape());
  std::copy(begin(), end(), copy.block()->template data<T>());
  *this = std::move(copy);
}

template <class T>
Array<T> Array<T>::reshape(const Shape& to) const {
  if (to.size() != size() || empty()) {
    throw ShapeError("reshape: an array of shape " + to_string(shape()) + " cannot become " +
                     to_string(to));
  }
  return Array(Owned{detail::allocate_view(block(), block()->template data<T>(), to)});
}

template <class T>
Array<T> Array<T>::leading(std::int64_t first, std::int64_t last) const {
  if (rank() == 0 || first < 0 || first > last || last > shape()[0]) {
    throw ArgumentError("slice: [" + std::to_string(first) + ", " + std::to_string(last) +
                        ") of the first axis of shape " + to_string(shape()));
  }
  const std::int64_t step = shape()[0] ? size() / shape()[0] : 0;
  return Array(Owned{detail::allocate_view(block(), block()->template data<T>() + first * step,
                                           shape().with(0, last - first))});
}

template <class T>
bool equal(const Array<T>& a, const Array<T>& b) {
  return a.shape() == b.shape() && std::equal(a.begin(), a.end(), b.begin());
}

template <class T>
std::ostream& operator<<(std::ostream& out, const Array<T>& array) {
  std::ostringstream text;
  text.copyfmt(out);
  text.imbue(std::locale::classic());  // a decimal comma could not be told from one between numbers
  text.width(0);
  print(text, array.data(), array.shape(), 0, array.size());
  return out << text.str();
}

#define EBB_INSTANTIATE(T)                                       \
  template class Array<T>;                                       \
  template EBB_API bool equal(const Array<T>&, const Array<T>&); \
  template EBB_API std::ostream& operator<<(std::ostream&, const Array<T>&);
EBB_INSTANTIATE(float)
EBB_INSTANTIATE(double)
EBB_INSTANTIATE(std::int64_t)
EBB_INSTANTIATE(bool)
#undef EBB_INSTANTIATE

}  // namespace ebb::inline v0
