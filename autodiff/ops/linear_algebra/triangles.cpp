// SPDX-License-Identifier: BSD-3-Clause
#include "ebb/autodiff/ops/linear_algebra/triangles.hpp"

#include <cmath>

#include "ebb/autodiff/values/instances.hpp"

namespace ebb::inline v0 {

using detail::Access;

template <Real T>
Tensor<T> lower_triangle(const Operand<T>& packed, PackedOptions options) {
  const Shape& shape = Access::shape(packed, "lower_triangle");
  const std::int64_t count = shape.rank() == 0 ? -1 : shape[shape.rank() - 1];
  // Roots of numbers below 2^53 are right in double, and no array is larger.
  const auto d = std::int64_t((std::sqrt(8 * double(count) + 1) - 1) / 2);
  if (count < 0 || d * (d + 1) / 2 != count) {
    detail::throw_shapes(
        "lower_triangle",
        "packed must be (..., d (d + 1) / 2), such as 1, 3, 6 or 10 elements in a row", shape);
  }
  return detail::apply<op::Unpack, T>({detail::Part::lower, options.by_rows, std::int32_t(d)},
                                      packed);
}
EBB_OVERLOAD_FOR_REALS(lower_triangle, Tensor<T>(const Operand<T>&, PackedOptions))

template <Real T>
Tensor<T> lower_triangle(const Operand<T>& packed, const Operand<T>& diagonal,
                         PackedOptions options) {
  const Shape &s = Access::shape(packed, "lower_triangle"),
              &t = Access::shape(diagonal, "lower_triangle");
  const int last = t.rank() - 1;
  // A longer diagonal has too large a matrix.
  constexpr std::int64_t longest = 1 << 30;
  const std::int64_t d = last < 0 ? -1 : t[last];
  if (d < 0 || d > longest || !(s == t.with(last, d * (d - 1) / 2))) {
    detail::throw_shapes("lower_triangle",
                         "packed must be (..., d (d - 1) / 2) for a diagonal (..., d), with the "
                         "same first axes",
                         s, t);
  }
  return detail::apply<op::LowerTriangle, T>({options.by_rows, std::int32_t(d)}, packed, diagonal);
}
EBB_OVERLOAD_FOR_REALS(lower_triangle,
                       Tensor<T>(const Operand<T>&, const Operand<T>&, PackedOptions))

}  // namespace ebb::inline v0
