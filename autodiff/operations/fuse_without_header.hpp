// SPDX-License-Identifier: BSD-3-Clause
// What a call of `fuse` says if its header is not included.
#pragma once
#include "ebb/autodiff/values/tensor.hpp"

namespace ebb::inline v0 {
namespace detail {

/// Defined in ebb/autodiff/fuse.hpp.
template <class F>
struct FuseHeader;
template <class F>
concept WithoutFuseHeader = !requires {
  sizeof(FuseHeader<F>);
};

}  // namespace detail

#define EBB_WITHOUT_HEADER(name)                                                            \
  /** Does not compile: `fuse`, `fuse_sum` and `fuse_mean` are in ebb/autodiff/fuse.hpp. */ \
  template <class F, class X, class... Rest>                                                \
  requires detail::WithoutFuseHeader<F>                                                     \
  auto name(F, const X& x, const Rest&...) {                                                \
    static_assert(sizeof(F) == 0, #name                                                     \
                  ": add #include <ebb/autodiff/fuse.hpp>, which ebb.hpp "                  \
                  "leaves out since it takes time to compile");                             \
    return Tensor<typename X::value_type>(x);                                               \
  }
EBB_WITHOUT_HEADER(fuse)
EBB_WITHOUT_HEADER(fuse_sum)
EBB_WITHOUT_HEADER(fuse_mean)
#undef EBB_WITHOUT_HEADER

}  // namespace ebb::inline v0
