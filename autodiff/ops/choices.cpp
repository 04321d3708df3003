// SPDX-License-Identifier: BSD-3-Clause
#include "ebb/autodiff/ops/choices.hpp"

#include <bit>

#include "ebb/autodiff/kernels/broadcast.hpp"
#include "ebb/autodiff/values/instances.hpp"

namespace ebb::inline v0::detail {

void check_elements(std::string_view name, const ReduceOptions& options, const Shape& x) {
  if (reduced_count(options, x) == 0 && reduced_shape(options, x).size() > 0) {
    throw_shapes(name, "there must be an element to choose", x);
  }
}

template <class T>
void pull_choice(T* out, const T* g, const T* y, Block* x, const ReduceOptions& options) {
  using Int = std::conditional_t<sizeof(T) == 4, std::int32_t, std::int64_t>;
  const auto& kernel = kernels<T>();
  const Shape kept = reduced_shape({options.axes, true}, x->shape);
  const Shape* const shapes[] = {&kept, &x->shape};
  const T* from = x->data<T>();
  const std::int64_t results = kept.size();
  std::vector<T> shares(std::size_t(results) + 64 / sizeof(T));  // zeros, in whole vectors
  const auto each_plane = [&](const auto& f) {
    for_each_offset(x->shape, shapes,
                    [&](std::int64_t start, const std::int64_t* offset, const Planes& planes) {
                      const In<T> in[] = {
                          {y + offset[0], planes.row[0], planes.col[0]},
                          {shares.data() + offset[0], planes.row[0], planes.col[0]}};
                      f(start, offset[0], in, planes.grid);
                    });
  };
  each_plane([&](std::int64_t start, std::int64_t result, const In<T>* in, Grid grid) {
    kernel.count_choices(shares.data() + result, from + start, in[0], grid);
  });
  for (std::int64_t i = 0; i < results; ++i) {
    T& share = shares[std::size_t(i)];
    share = g[i] / T(std::bit_cast<Int>(share));
  }
  each_plane([&](std::int64_t start, std::int64_t, const In<T>* in, Grid grid) {
    kernel.share_choices(out + start, from + start, in, grid);
  });
}
template void pull_choice(float*, const float*, const float*, Block*, const ReduceOptions&);
template void pull_choice(double*, const double*, const double*, Block*, const ReduceOptions&);

}  // namespace ebb::inline v0::detail

namespace ebb::inline v0 {

EBB_REDUCTION(max, Max)
EBB_REDUCTION(min, Min)

}  // namespace ebb::inline v0
