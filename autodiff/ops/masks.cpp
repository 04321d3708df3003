// SPDX-License-Identifier: BSD-3-Clause
// Comparisons, masks, and the choice between two tensors by a mask.
#include "ebb/autodiff/ops/masks.hpp"

#include <algorithm>
#include <cmath>
#include <functional>
#include <string>

#include "ebb/autodiff/kernels/broadcast.hpp"
#include "ebb/autodiff/kernels/row_copy.hpp"
#include "ebb/autodiff/ops/reductions.hpp"
#include "ebb/autodiff/ops/slices.hpp"
#include "ebb/autodiff/values/error.hpp"
#include "ebb/autodiff/values/instances.hpp"

namespace ebb::inline v0 {
namespace detail {
namespace {

template <class T>
Mask<T> compare(Comparison comparison, const char* name, const Operand<T>& a, const Operand<T>& b) {
  const Contents<T> in[] = {Access::contents(a, name), Access::contents(b, name)};
  const auto shape_of = [](const Contents<T>& x) {
    return x.is_number() ? Shape() : x.block->shape;
  };
  const Shape shape = broadcast(name, shape_of(in[0]), shape_of(in[1]));
  BlockHandle y(allocate(shape, sizeof(bool)));
  const Shape shapes[] = {shape_of(in[0]), shape_of(in[1])};
  const Shape* views[2];
  const T* data[2];
  for (int k = 0; k < 2; ++k) {
    views[k] = in[k].is_number() || in[k].block->is_single() ? nullptr : &shapes[k];
    data[k] = in[k].is_number() ? &in[k].number : in[k].block->template data<T>();
  }
  for_each_offset(shape, views,
                  [&](std::int64_t start, const std::int64_t* offset, const Planes& planes) {
                    const In<T> x[] = {{data[0] + offset[0], planes.row[0], planes.col[0]},
                                       {data[1] + offset[1], planes.row[1], planes.col[1]}};
                    kernels<T>().compare[int(comparison)](y->data<bool>() + start, x, planes.grid);
                  });
  return Access::array<bool>(y.take());
}

/// f of each element of x.
template <class T, class F>
Mask<T> map(const char* name, const Operand<T>& x, const F& f) {
  const Contents<T> in = Access::contents(x, name);
  auto y = Array<bool>::uninitialized(in.is_number() ? Shape() : in.block->shape);
  bool* const to = y.mutate();
  const T* const from = in.is_number() ? &in.number : in.block->template data<T>();
  const std::int64_t step = in.is_number() || in.block->is_single() ? 0 : 1;
  for (std::int64_t i = 0; i < y.size(); ++i) to[i] = f(from[i * step]);
  return y;
}

}  // namespace
}  // namespace detail

namespace op {

template <class T>
detail::Block* Where::forward(const Options&, detail::Block* a, detail::Block* b,
                              detail::Block* mask) {
  using namespace detail;
  const Shape shape = broadcast(name, broadcast(name, mask->shape, a->shape), b->shape);
  BlockHandle y(allocate(shape, sizeof(T)));
  const Shape* shapes[] = {a->shape.size() == 1 ? nullptr : &a->shape,
                           b->shape.size() == 1 ? nullptr : &b->shape,
                           mask->shape.size() == 1 ? nullptr : &mask->shape};
  for_each_offset(shape, shapes,
                  [&](std::int64_t start, const std::int64_t* offset, const Planes& p) {
                    const In<T> in[] = {{a->data<T>() + offset[0], p.row[0], p.col[0]},
                                        {b->data<T>() + offset[1], p.row[1], p.col[1]}};
                    const In<bool> m{mask->data<bool>() + offset[2], p.row[2], p.col[2]};
                    kernels<T>().where(y->data<T>() + start, m, in, p.grid);
                  });
  return y.take();
}

}  // namespace op

#define EBB_COMPARE(symbol, comparison)                                                       \
  template <Real T>                                                                           \
  Mask<T> operator symbol(const Operand<T>& a, const Operand<T>& b) {                         \
    return detail::compare(detail::Comparison::comparison, "operator" #symbol, a, b);         \
  }                                                                                           \
  template EBB_API Mask<float> operator symbol(const Operand<float>&, const Operand<float>&); \
  template EBB_API Mask<double> operator symbol(const Operand<double>&, const Operand<double>&);
EBB_COMPARE(<, less)
EBB_COMPARE(>, greater)
EBB_COMPARE(<=, less_equal)
EBB_COMPARE(>=, greater_equal)
EBB_COMPARE(==, equal)
EBB_COMPARE(!=, not_equal)
#undef EBB_COMPARE

template <Real T>
Mask<T> isnan(const Operand<T>& x) {
  return detail::map("isnan", x, [](T v) { return std::isnan(v); });
}
EBB_FOR_REALS(isnan)

template <Real T>
Mask<T> isinf(const Operand<T>& x) {
  return detail::map("isinf", x, [](T v) { return std::isinf(v); });
}
EBB_FOR_REALS(isinf)

template <Real T>
Mask<T> isfinite(const Operand<T>& x) {
  return detail::map("isfinite", x, [](T v) { return std::isfinite(v); });
}
EBB_FOR_REALS(isfinite)

template <Real T>
Tensor<T> where(const Array<bool>& mask, const Operand<T>& a, const Operand<T>& b) {
  return detail::apply<op::Where, T>({}, a, b, mask);
}
EBB_OVERLOAD_FOR_REALS(where, Tensor<T>(const Array<bool>&, const Operand<T>&, const Operand<T>&))

template <Real T>
Tensor<T> masked_fill(const Operand<T>& x, const Array<bool>& mask, double value) {
  if (mask.empty()) detail::throw_empty_operand("masked_fill");
  const Shape& shape = detail::Access::shape(x, "masked_fill");
  if (!(broadcast("masked_fill", mask.shape(), shape) == shape)) {
    detail::throw_shapes("masked_fill", "the mask must broadcast to the shape of x", mask.shape(),
                         shape);
  }
  return where<T>(mask, Array<T>(T(value)), x);
}
EBB_FOR_REALS(masked_fill)

template <Real T>
Tensor<T> select(const Mask<T>& mask, const Tensor<std::type_identity_t<T>>& a,
                 const Tensor<std::type_identity_t<T>>& b) {
  return where<T>(mask, a, b);
}
EBB_FOR_REALS(select)

// Arrays of labels and masks: comparisons, logic, counts, types and rows.

namespace detail {
namespace {

/// f of each pair of elements, which broadcast.
template <class Out, class A, class F>
Array<Out> zip(const char* name, const Array<A>& a, const Array<A>& b, const F& f) {
  if (a.empty() || b.empty()) throw_empty_operand(name);
  const Shape shape = broadcast(name, a.shape(), b.shape());
  auto y = Array<Out>::uninitialized(shape);
  Out* const out = y.mutate();
  const Shape* shapes[] = {a.size() == 1 ? nullptr : &a.shape(),
                           b.size() == 1 ? nullptr : &b.shape()};
  for_each_offset(shape, shapes,
                  [&](std::int64_t start, const std::int64_t* offset, const Planes& planes) {
                    for (std::int64_t r = 0; r < planes.grid.rows; ++r) {
                      Out* const to = out + start + r * planes.grid.cols;
                      const A* const x = a.data() + offset[0] + r * planes.row[0];
                      const A* const z = b.data() + offset[1] + r * planes.row[1];
                      for (std::int64_t c = 0; c < planes.grid.cols; ++c)
                        to[c] = Out(f(x[c * planes.col[0]], z[c * planes.col[1]]));
                    }
                  });
  return y;
}

/// How many elements are true along axes.
Array<std::int64_t> counts(const char* name, const Array<bool>& mask, const Axes& axes,
                           bool keepdim) {
  if (mask.empty()) throw_empty_operand(name);
  const ReduceOptions options{axes.mask(name, mask.shape()), keepdim};
  const Shape& shape = mask.shape();
  auto y = Array<std::int64_t>::zeros(reduced_shape(options, shape));
  std::int64_t* const out = y.mutate();
  // The distance in the result from one element to the next along each axis: 0 where it is reduced.
  std::int64_t stride[Shape::max_rank] = {}, index[Shape::max_rank] = {}, next = 1;
  for (int i = shape.rank() - 1; i >= 0; --i) {
    if (options.axes >> i & 1U) continue;
    stride[i] = next;
    next *= shape[i];
  }
  std::int64_t at = 0;
  for (const bool is_true : mask) {
    out[at] += is_true ? 1 : 0;
    for (int i = shape.rank() - 1; i >= 0; --i) {
      at += stride[i];
      if (++index[i] < shape[i]) break;
      at -= stride[i] * shape[i];
      index[i] = 0;
    }
  }
  return y;
}

template <class To, class From, class F>
Array<To> map_labels(const Array<From>& x, const F& f) {
  if (x.empty()) throw_empty_operand("cast");
  auto y = Array<To>::uninitialized(x.shape());
  To* const out = y.mutate();
  for (std::int64_t i = 0; i < x.size(); ++i) out[i] = f(x[i], i);
  return y;
}

[[noreturn]] void refuse_cast(const std::string& value, std::int64_t position, const char* why) {
  throw ArgumentError("cast: " + value + " at position " + std::to_string(position) + " " + why);
}

}  // namespace

Array<bool> combine(Logic logic, const Array<bool>& a, const Array<bool>& b) {
  return logic == Logic::both ? zip<bool>("operator&&", a, b, std::bit_and<>())
                              : zip<bool>("operator||", a, b, std::bit_or<>());
}

}  // namespace detail

#define EBB_COMPARE(symbol)                                                                  \
  template <detail::Label U>                                                                 \
  Array<bool> operator symbol(const Array<U>& a, const Array<U>& b) {                        \
    return detail::zip<bool>("operator" #symbol, a, b, [](U x, U y) { return x symbol y; }); \
  }                                                                                          \
  template EBB_API Array<bool> operator symbol(const Array<bool>&, const Array<bool>&);      \
  template EBB_API Array<bool> operator symbol(const Array<std::int64_t>&,                   \
                                               const Array<std::int64_t>&);
EBB_COMPARE(==)
EBB_COMPARE(!=)
EBB_COMPARE(<)
EBB_COMPARE(>)
EBB_COMPARE(<=)
EBB_COMPARE(>=)
#undef EBB_COMPARE

std::int64_t count_nonzero(const Array<bool>& mask) {
  if (mask.empty()) detail::throw_empty_operand("count_nonzero");
  return std::count(mask.begin(), mask.end(), true);
}

Array<std::int64_t> count_nonzero(const Array<bool>& mask, const Axes& axes, bool keepdim) {
  return detail::counts("count_nonzero", mask, axes, keepdim);
}

bool any(const Array<bool>& mask) {
  if (mask.empty()) detail::throw_empty_operand("any");
  return std::find(mask.begin(), mask.end(), true) != mask.end();
}

Array<bool> any(const Array<bool>& mask, const Axes& axes, bool keepdim) {
  return detail::counts("any", mask, axes, keepdim) > 0;
}

bool all(const Array<bool>& mask) {
  if (mask.empty()) detail::throw_empty_operand("all");
  return std::find(mask.begin(), mask.end(), false) == mask.end();
}

Array<bool> all(const Array<bool>& mask, const Axes& axes, bool keepdim) {
  if (mask.empty()) detail::throw_empty_operand("all");
  return detail::counts("all", !mask, axes, keepdim) == 0;
}

template <detail::Label U>
Array<U> where(const Array<bool>& mask, const Array<U>& a, const Array<U>& b) {
  // Each operand in the whole shape first: labels are few, and need no loop of three operands.
  const Shape shape = broadcast("where", broadcast("where", mask.shape(), a.shape()), b.shape());
  const auto full = [&](const auto& x) {
    using E = typename std::remove_cvref_t<decltype(x)>::value_type;
    return detail::zip<E>("where", x, Array<E>::zeros(shape), [](E value, E) { return value; });
  };
  const auto m = full(mask);
  Array<U> y = full(b);
  const Array<U> taken = full(a);
  U* const out = y.mutate();
  for (std::int64_t i = 0; i < y.size(); ++i) out[i] = m[i] ? taken[i] : out[i];
  return y;
}
template EBB_API Array<bool> where(const Array<bool>&, const Array<bool>&, const Array<bool>&);
template EBB_API Array<std::int64_t> where(const Array<bool>&, const Array<std::int64_t>&,
                                           const Array<std::int64_t>&);

template <class To, detail::Label U>
Array<To> cast(const Array<U>& x) {
  return detail::map_labels<To>(x, [](U value, std::int64_t position) -> To {
    if constexpr (std::same_as<To, bool>) return value != 0;
    const To number = To(value);
    // 2^63 is the one number that cannot be turned back.
    if constexpr (std::same_as<U, std::int64_t> && Real<To>) {
      if (number == To(0x1p63) || std::int64_t(number) != value) {
        detail::refuse_cast(std::to_string(value), position,
                            sizeof(To) == 4 ? "would be rounded by float; cast to double"
                                            : "would be rounded by double");
      }
    }
    return number;
  });
}
#define EBB_CAST(To)                                       \
  template EBB_API Array<To> cast<To>(const Array<bool>&); \
  template EBB_API Array<To> cast<To>(const Array<std::int64_t>&);
EBB_CAST(float)
EBB_CAST(double)
EBB_CAST(std::int64_t)
EBB_CAST(bool)
#undef EBB_CAST

template <detail::Label To, Real T>
Array<To> cast(const Operand<T>& x) {
  const Array<T> values = detail::Access::as_tensor(x, "cast").array();
  return detail::map_labels<To>(values, [](T value, std::int64_t position) -> To {
    if constexpr (std::same_as<To, bool>) {
      if (std::isnan(value)) detail::refuse_cast("NaN", position, "is neither true nor false");
      return value != 0;
    } else {
      if (!(std::abs(value) < T(0x1p63)) || std::trunc(value) != value) {
        detail::refuse_cast(detail::to_text(double(value)), position,
                            "is not an integer of 64 bits; write round(x) or floor(x)");
      }
      return To(value);
    }
  });
}
#define EBB_CAST(To)                                          \
  template EBB_API Array<To> cast<To>(const Operand<float>&); \
  template EBB_API Array<To> cast<To>(const Operand<double>&);
EBB_CAST(std::int64_t)
EBB_CAST(bool)
#undef EBB_CAST

template <detail::Label U>
Array<U> gather_rows(const Array<U>& x, const Array<std::int64_t>& indices) {
  if (x.empty() || indices.empty()) detail::throw_empty_operand("gather_rows");
  if (x.rank() == 0 || indices.rank() != 1) {
    detail::throw_shapes("gather_rows", "x must have rows, and indices one axis", x.shape(),
                         indices.shape());
  }
  const std::int64_t rows = x.shape()[0], count = indices.size();
  detail::check_range("gather_rows", detail::Access::block(indices), rows, &x.shape());
  auto y = Array<U>::uninitialized(x.shape().with(0, count));
  const std::size_t bytes = rows ? std::size_t(x.size() / rows) * sizeof(U) : 0;
  detail::copy_rows(reinterpret_cast<std::byte*>(y.mutate()),
                    reinterpret_cast<const std::byte*>(x.data()), bytes, rows,
                    std::span(indices.data(), std::size_t(count)));
  return y;
}
template EBB_API Array<bool> gather_rows(const Array<bool>&, const Array<std::int64_t>&);
template EBB_API Array<std::int64_t> gather_rows(const Array<std::int64_t>&,
                                                 const Array<std::int64_t>&);

template <detail::Label U>
Array<U> slice(const Array<U>& x, int axis, SliceRange range) {
  if (x.empty()) detail::throw_empty_operand("slice");
  const op::SliceOptions o = op::slice_options(x.shape(), axis, range);
  auto y = Array<U>::uninitialized(o.part(x.shape()));
  op::for_each_run(o, x.shape(), [&, to = y.mutate()](auto whole, auto part, auto n) {
    std::copy_n(x.data() + whole, std::int64_t(n), to + part);
  });
  return y;
}
template EBB_API Array<bool> slice(const Array<bool>&, int, SliceRange);
template EBB_API Array<std::int64_t> slice(const Array<std::int64_t>&, int, SliceRange);

}  // namespace ebb::inline v0
